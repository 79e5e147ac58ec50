"""What looks like a credential, by a file's name and by its content. It is asked about, never guessed away."""

import re

_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY( BLOCK)?-----")
_LONGEST_KEY_LINE = 80

_HARMLESS = re.compile(r"\.(example|sample|template|tmpl|dist|defaults?|schema|pub)$", re.IGNORECASE)
_NAMES = (
    (re.compile(r"\.env(rc)?|\.env[.\-_].*"), "an env file"),
    (re.compile(r"[._]netrc"), "logins (.netrc)"),
    (re.compile(r"\.git-credentials"), "git's logins"),
    (re.compile(r"\.pgpass"), "PostgreSQL's logins"),
    (re.compile(r"\.vault-token"), "Vault's token"),
    (re.compile(r"id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk)"), "an SSH key"),
    (re.compile(r"kubeconfig|.*\.kubeconfig", re.IGNORECASE), "a kubeconfig"),
    (re.compile(r"application_default_credentials\.json|credentials\.tfrc\.json|gha-creds-.*\.json"),
     "a cloud's credentials"),
    (re.compile(r".*\.(p12|pfx|jks|keystore|kdbx|ppk)", re.IGNORECASE), "a key store"),
)  # fmt: skip
# Possessive and atomic where one way to match is enough: the content is anybody's, and may be one word of a megabyte.
_SECRET = rb"(?:(?>[\w.-]*?(?:key|token|secret|passw(?:or)?d|passphrase|credential|pwd))[\w.-]*+)"
_INDENT = rb"^[^\S\n]*+"
# A value that stands for another (`${TOKEN}`, `<token>`, `changeme`) is none.
_VALUE = rb"(?![\"']?(?:\$|<|\{\{|change[-_]?me|example|x{3,}|\*{3,}|[\"']?\s*$))[\"']?[^\s\"'#]{4,}"
_CONTENTS = (
    (re.compile(r".*\.env", re.IGNORECASE),
     re.compile(_INDENT + rb"(?:export\s++)?" + _SECRET + rb"\s*+=\s*+" + _VALUE, re.IGNORECASE | re.MULTILINE),
     "an env file with secrets"),
    (re.compile(r"\.?(npmrc|yarnrc|yarnrc\.yml)"),
     re.compile(rb"(_authToken|_auth|_password|npmAuthToken|npmAuthIdent)\s*+[=:]\s*+" + _VALUE), "a login of npm"),
    (re.compile(r"\.pypirc|pip\.conf|\.my\.cnf|\.s3cfg|\.boto"),
     re.compile(_INDENT + rb"(password|secret_key|aws_secret_access_key|gs_secret\w*+)\s*+[=:]\s*+" + _VALUE
                + rb"|://[^/\s:@]+:[^/\s@]+@", re.MULTILINE), "logins"),
    (re.compile(r"(docker)?config\.json|\.dockercfg|\.dockerconfigjson", re.IGNORECASE),
     re.compile(rb"\"(auth|identitytoken|registrytoken)\"\s*:\s*\"[^\"]{4,}"), "docker's logins"),
    (re.compile(r"credentials|config|.*\.(ini|cfg|conf)"),
     re.compile(_INDENT + rb"aws_secret_access_key\s*=\s*\S{16,}", re.MULTILINE), "AWS's credentials"),
    (re.compile(r".*\.json", re.IGNORECASE),
     re.compile(rb"\"type\"\s*:\s*\"(service_account|authorized_user)\"|\"(private_key|refresh_token)\"\s*:\s*\"[^\"]{16,}"
                rb"|\"SecretAccessKey\"\s*:\s*\"[^\"]{16,}"), "a cloud's credentials"),
    (re.compile(r"credentials\.json|client_secret.*\.json"), re.compile(rb"(secret|token|password)\"\s*:\s*\"[^\"]{4,}",
     re.IGNORECASE), "a cloud's credentials"),
    (re.compile(r"config|.*\.(ya?ml|conf)", re.IGNORECASE),
     re.compile(_INDENT + rb"(client-key-data|access-token)\s*+:\s*+\S{8,}"
                rb"|\A(?>(?s:.*?)^kind:\s*+Config\s*?$)(?s:.*)" + _INDENT + rb"(?:-[^\S\n]*+)?token\s*+:\s*+\S{8,}",
                re.MULTILINE), "a kubeconfig, or a cloud's token"),
)  # fmt: skip


def credential_by_name(name: str) -> str:
    """What a file of this name holds, in words, when that is a credential whatever its content; else ''."""
    if _HARMLESS.search(name):
        return ""
    return next((what for pattern, what in _NAMES if pattern.fullmatch(name)), "")


def credential_by_content(name: str, content: bytes) -> str:
    """What a file of this name and content (or its first piece) holds, in words, when that is a credential; else ''.

    Private keys aside: `KeyScanner` finds those anywhere.
    """
    if _HARMLESS.search(name):
        return ""
    return next((what for named, holds, what in _CONTENTS if named.fullmatch(name) and holds.search(content)), "")


class KeyScanner:
    """Looks for a private key in a content that comes piece by piece."""

    def __init__(self) -> None:
        self.found = False
        self._end = b""

    def feed(self, piece: bytes) -> None:
        """Look through the next piece; a key's first line may stand across two."""
        if not self.found:
            text = self._end + piece
            self.found = b"PRIVATE KEY" in text and bool(_KEY.search(text))
            self._end = text[-_LONGEST_KEY_LINE:]
