#!/usr/bin/env bash
# make install puts everything where it belongs, keeps a configuration that is there, and
# make uninstall takes away all but that.
source "$(dirname "$0")/plant.bash"
root=$scratch/root
etc=$root/etc/waypost

run_make() { make -s -C "$project" PREFIX=/usr DESTDIR="$root" "$@"; }
installed() { (cd "$root" && find . -type f | sort); }
has() { test -s "$root/$1"; }
unit() { find "$root" -name waypost.service; }

accepts "make install" run_make install
accepts "the program starts" "$root/usr/sbin/waypost" --version
accepts "the unit names the program" grep -q '^ExecStart=/usr/sbin/waypost run -c /etc/waypost/' "$(unit)"
refuses "no placeholder is left in the unit" '^$' grep -E '@[A-Z]+@' "$(unit)"
for file in etc/waypost/waypost.json etc/waypost/routes.json etc/logrotate.d/waypost \
    usr/share/bash-completion/completions/waypost usr/share/man/man8/waypost.8 \
    usr/share/man/man5/waypost.json.5 usr/share/man/man5/routes.json.5 \
    usr/share/waypost/schema/waypost.schema.json usr/share/waypost/schema/routes.schema.json; do
    accepts "installs $file" has "$file"
done

echo '{ "mine": true }' >"$etc/waypost.json"
accepts "make install again" run_make install
accepts "leaves the configuration alone" grep -q mine "$etc/waypost.json"
accepts "make uninstall" run_make uninstall
refuses "only configuration is left" '^$' grep -vE '^\./etc/(waypost|logrotate\.d)/' <<<"$(installed)"
accepts "the configuration is still there" grep -q mine "$etc/waypost.json"
