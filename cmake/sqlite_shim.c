/* The distribution's SQLite has full-text search (FTS3, FTS5) and R-trees: 330 KB that nothing here uses, yet opening any
 * database names them. Whoever comes first on the link line gives a name, and this does, so those objects stay in their
 * archive. 0 is SQLITE_OK. Linked only into the portable release build. */
struct sqlite3;

int sqlite3Fts3Init(struct sqlite3* database) { return (void)database, 0; }
int sqlite3Fts5Init(struct sqlite3* database) { return (void)database, 0; }
int sqlite3RtreeInit(struct sqlite3* database) { return (void)database, 0; }
