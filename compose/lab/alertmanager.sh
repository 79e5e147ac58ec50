#!/usr/bin/env bash
# An Alertmanager for the test that has it post its own body: the distribution's, where it can be installed. Without one
# that test is skipped, and says so.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/packages.sh"

for name in prometheus-alertmanager alertmanager; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
case $(distribution) in
    debian* | ubuntu*) if can_be_root; then logged alertmanager install_packages prometheus-alertmanager && exit 0; fi ;;
esac
say "There is no Alertmanager here: its test is going to be skipped."
