"""Ed25519 (RFC 8032, section 6) in plain Python: an implementation of its own to check the programs' signatures with, and
to sign what a collector would. Slow and not constant in time: for tests alone."""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def _digest(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little")


def _add(a, b):
    """Of points in extended coordinates (X, Y, Z, T)."""
    minus, plus = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, e = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    h, f, g, i = plus - minus, e - c, e + c, plus + minus
    return (h * f % P, g * i % P, f * g % P, h * i % P)


def _times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_OF_MINUS_1 % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


_Y = 4 * pow(5, P - 2, P) % P
BASE = (_x_of(_Y, 0), _Y, 1, _x_of(_Y, 0) * _Y % P)


def _secret_scalar(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    return _compress(_times(_secret_scalar(seed)[0], BASE))


def sign(seed, message):
    scalar, prefix = _secret_scalar(seed)
    key = public_key(seed)
    r = _digest(prefix + message) % ORDER
    big_r = _compress(_times(r, BASE))
    s = (r + _digest(big_r + key + message) % ORDER * scalar) % ORDER
    return big_r + s.to_bytes(32, "little")


def verifies(key, message, signature):
    point, big_r = _decompress(key), _decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or point is None or big_r is None or s >= ORDER:
        return False
    challenge = _digest(signature[:32] + key + message) % ORDER
    return _compress(_times(s, BASE)) == _compress(_add(big_r, _times(challenge, point)))
