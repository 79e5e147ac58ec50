"""`python tests/contract`: what was exchanged with the lab's stand-in so far, checked against the description."""

import sys

import official


def main() -> int:
    """Returns the exit code: 1 for a violation."""
    if not official.SPEC.exists():
        print(f"Not checked: {official.ABSENT}")
        return 0
    checked = official.check(official.exchanged(0))
    official.write(checked)
    print(checked.sentence)
    for violation in checked.violations[:20]:
        print(f"  {violation}")
    return 1 if checked.violations else 0


if __name__ == "__main__":
    sys.exit(main())
