"""Strings that are easily misread: by YAML 1.1, by interpolation, by shells, by env files."""

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Plain:
    """A scalar that a compose file has without quotes; what it means is for Compose to say."""

    text: str


# Written without quotes, each is something else to a YAML 1.1 reader, or looks like it.
UNQUOTED = (
    "1234e56", "5e10", "1e3", "0o17", "017", "0x1F", "1_000", "1.0", "1.10", "+1", "-0", "yes", "no", "on", "off", "y",
    "N", "true", "False", "~", "null", "Null", "12:30", "1:20:30", "2026-01-01", "2001-12-14t21:59:43.10-05:00", ".5",
    "1.", "=", "00012", "1e", "0b11", "a-b", "é", "日本語",
)  # fmt: skip
HOSTILE = (
    "", " lead", "trail ", "\ttab", "a\tb", "line\nbreak", "\nfirst", "last\n", "two\n\n", "line\r\nbreak", "\r",
    "it's", '"', "'", "a 'b' \"c\"", "\\", "\\n", "C:\\tea", "\\$$x", "#x", "a #b", "a: b", ": ", "- x", "? x", "@x",
    "`x`", "%x", "&a", "*a", "!x", "!!str x", "|", ">", "{a", "[a", "a}", "<<", "ünïcødé", "😀", "\u2028", "\ufeffbom",
    "\x7f", "\u00a0", "\u0085", "$$", "$$HOME", "a$$b$$", "$${X}", "100%", "a=b", "=", "x" * 300, "--reload-not",
    "$${{ x }}",
)  # fmt: skip
# Of the stack's own variables, in every form that Compose knows.
REFERENCES = (
    "${NAME}", "$NAME", "a${NAME}b", "${NAME:-other}", "${NAME-other}", "${NOBODY:-fall back}", "${NOBODY:-${NAME}}",
    "${NAME:+given}", "${NOBODY+given}", "${NAME:?needed}", "$$${NAME}", "${EMPTY:-of empty}", "${EMPTY-of empty}",
)  # fmt: skip

quoted = st.sampled_from((*HOSTILE, *UNQUOTED))
text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="$\ufffe\uffff"), max_size=12
)
# What may stand wherever Compose takes a string.
words = st.one_of(quoted, quoted, st.sampled_from(REFERENCES), text)
# And wherever it takes a scalar of any kind.
scalars = st.one_of(words, words, st.sampled_from(UNQUOTED).map(Plain))
# Words without interpolation and without line breaks: where Compose looks closely.
simple = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
names = st.sampled_from(("web", "db", "Worker.V2", "a_b", "ax-1", "0ne", "API", "_job", "no", "1e5", "web.front-2_x"))


@st.composite
def env_lines(draw: st.DrawFn, keys: tuple[str, ...]) -> str:
    """An env file that holds these names, each in one of the ways that people write."""
    lines = [draw(st.sampled_from(("", "# a remark\n", "\n", "\ufeff")))]
    for key in keys:
        value = draw(st.sampled_from((*HOSTILE, *UNQUOTED)))
        single, bare = (
            "'" not in value and "\\" not in value,
            not set(value) & set("\r\n\t'\"\\$#` ") and value.isascii(),
        )
        ways = [
            '"' + _escaped(value) + '"',
            *([f"'{value}'"] if single else []),
            *([value, f"{value} # why"] if bare else []),
        ]
        lines.append(f"{draw(st.sampled_from(('', 'export ')))}{key}{draw(st.sampled_from(('=', ' = ', '= ')))}"
                     f"{draw(st.sampled_from(ways))}\n")  # fmt: skip
    return "".join(lines)


def _escaped(value: str) -> str:
    for char, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(char, written)
    return value
