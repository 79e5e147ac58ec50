"""Ask an address once, and print headers and answer: `ask.py URL [HOST CA [BODY]]`. Exit 1 unless it is well."""

import ssl
import sys

import httpx


def main(url: str, host: str = "", ca: str = "", body: str = "") -> int:
    """Returns the exit code.

    Args:
        host: the name to ask under, and that the certificate is for.
        ca: file of who signed it.
        body: JSON to send.
    """
    verify = ssl.create_default_context(cafile=ca) if ca else True
    headers = {**({"Host": host} if host else {}), **({"Content-Type": "application/json"} if body else {})}
    with httpx.Client(timeout=10, trust_env=False, verify=verify) as client:
        asked = client.build_request("POST" if body else "GET", url, headers=headers, content=body or None)
        asked.extensions = {**asked.extensions, **({"sni_hostname": host} if host else {})}
        answer = client.send(asked)
    print("\n".join(f"{name}: {value}" for name, value in answer.headers.items()), "", answer.text, sep="\n")
    return 0 if answer.is_success else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
