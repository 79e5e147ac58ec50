#!/usr/bin/env bash
# A browser for the tests that look at the Prefect UI: the distribution's Chromium, where it is a package and can be
# installed. Without one those tests are skipped, and say so.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/packages.sh"

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
case $(distribution) in
    debian*) if can_be_root; then logged chromium install_packages chromium fonts-dejavu && exit 0; fi ;;
esac
say "There is no Chromium here: the browser tests are going to be skipped."
