"""How an edge finds a share of the clients: by their address alone, so that each stays where it began.

Each address has a number below 100, whoever computes it; a file beside the state file says which colour has those below
how many. So a share that rises only adds clients, and no share needs a reload. (Caddy's own `ip_hash` weighs by
repeated upstreams up to 2.6 only: later versions count an address once.)
"""

# A letter of an address counts by its place among these; what is none of them (`.`, `:`) counts -1.
_DIGITS = "0123456789abcdef"
# The last letters tell addresses of one network apart. One weight each, the last letter's first.
_WEIGHTS = (1, 10, 37, 91, 53, 71, 29, 83)
# The sum never falls below zero, where remainders differ from one language to the next.
_BASE, _SCATTER, _PRIME = 1000, 7919, 10007
# Asked for at each host: the file of the share that the edge sees, or NO_SHARE.
SHARE_PATH, NO_SHARE = "/.slipway/canary", "none"


def share_number(address: str) -> int:
    """The number of a client's address, from 0 to 99: in a share of N percent are those below N."""
    letters = address.rjust(len(_WEIGHTS), "0")[::-1]
    found = sum(_DIGITS.find(letter) * weight for letter, weight in zip(letters, _WEIGHTS, strict=False))
    return (_BASE + found) * _SCATTER % _PRIME % 100


def share_expression() -> str:
    """The same for Caddy, as an expression of a matcher: whether the client is in the share of the file found last."""
    address, last = "{http.request.remote.host}", len(_WEIGHTS) - 2
    padded = f"('{'0' * (last + 1)}' + {address})"
    terms = [
        f"'{_DIGITS}'.indexOf({padded}.charAt(size({address}) + {last - place})) * {weight}"
        for place, weight in enumerate(_WEIGHTS)
    ]
    percent = "int({http.matchers.file.relative}.split('-')[2])"
    return f"({' + '.join([str(_BASE), *terms])}) * {_SCATTER} % {_PRIME} % 100 < {percent}"
