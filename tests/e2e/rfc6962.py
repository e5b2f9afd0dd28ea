"""Merkle trees by the recursive definitions of RFC 6962, section 2.1, and these turned round to check proofs: an implementation of
its own, slow and plain, to check the programs' with."""

import hashlib


def sha256(data):
    return hashlib.sha256(data).digest()


def power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root_of(leaves):
    """Of leaves that are hashed already."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = power_below(len(leaves))
    return sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:]))


def path_of(m, leaves):
    if len(leaves) == 1:
        return []
    k = power_below(len(leaves))
    return path_of(m, leaves[:k]) + [root_of(leaves[k:])] if m < k else path_of(m - k, leaves[k:]) + [root_of(leaves[:k])]


def consistency_of(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = power_below(len(leaves))
    if m <= k:
        return consistency_of(m, leaves[:k], whole) + [root_of(leaves[k:])]
    return consistency_of(m - k, leaves[k:], False) + [root_of(leaves[:k])]


def root_from_path(leaf, m, n, path):
    """The root that a path leads to, by the definition turned round: no leaf but this one is known."""
    if n == 1:
        assert not path
        return leaf
    k = power_below(n)
    if m < k:
        return sha256(b"\1" + root_from_path(leaf, m, k, path[:-1]) + path[-1])
    return sha256(b"\1" + path[-1] + root_from_path(leaf, m - k, n - k, path[:-1]))


def roots_from_consistency(m, n, proof, old_root, whole=True):
    """The roots of the first m and of all n leaves, from a consistency proof and what the old root is said to be."""
    if m == n:
        return (old_root, old_root) if whole else (proof[0], proof[0])
    k = power_below(n)
    if m <= k:
        old, new = roots_from_consistency(m, k, proof[:-1], old_root, whole)
        return old, sha256(b"\1" + new + proof[-1])
    old, new = roots_from_consistency(m - k, n - k, proof[:-1], old_root, False)
    return sha256(b"\1" + proof[-1] + old), sha256(b"\1" + proof[-1] + new)
