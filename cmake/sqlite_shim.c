/* The distribution's SQLite has full-text search (FTS3, FTS5) and R-trees: 330 KB that nothing here uses, yet opening any
 * database names them. Whoever comes first on the link line gives a name, and this does, so those objects stay in their
 * archive. 0 is SQLITE_OK. Weak: where the archive is one object, its own functions count. Linked only into the portable
 * release build. */
struct sqlite3;
#define WEAK __attribute__((weak))

WEAK int sqlite3Fts3Init(struct sqlite3* database) { return (void)database, 0; }
WEAK int sqlite3Fts5Init(struct sqlite3* database) { return (void)database, 0; }
WEAK int sqlite3RtreeInit(struct sqlite3* database) { return (void)database, 0; }
