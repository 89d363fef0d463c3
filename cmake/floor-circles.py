#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""floor-circles.py NM FLOOR=ARCHIVE=DIRECTORY...: no two files of a floor need each other, over any length.

A file needs another when it uses a symbol that the other defines (nm of the floor's archive); a header needs what it
includes. Each circle is printed with the names that close it.
"""
import collections
import re
import subprocess
import sys
from pathlib import Path


def by_symbol(nm, archive):
    """{user: {provider: names}} of the members of an archive."""
    out = subprocess.run([nm, "-A", "-g", archive], check=True, capture_output=True, text=True).stdout
    home, uses = {}, collections.defaultdict(set)
    for member, kind, name in re.findall(r":([^:]+)\.c\.o:[0-9a-f ]+ ([A-Za-z]) (\S+)$", out, flags=re.M):
        if kind == "U":
            uses[member].add(name)
        elif kind not in "wv":
            home[name] = member
    if not home or not uses:
        sys.exit(f"{archive}: nm shows no symbols, so this check saw nothing")
    edges = collections.defaultdict(lambda: collections.defaultdict(set))
    for member, names in uses.items():
        for name in names:
            if home.get(name, member) != member:
                edges[member][home[name]].add(f"{name}()")
    return edges


def by_include(floor, directory):
    """{header: {included header: names}}."""
    edges = collections.defaultdict(lambda: collections.defaultdict(set))
    for path in sorted(Path(directory).glob("*.h")):
        for name in re.findall(rf'^#include "{floor}/([\w-]+\.h)"', path.read_text(encoding="utf-8"), flags=re.M):
            edges[path.name][name].add(f'"{floor}/{name}"')
    return edges


def circles(edges):
    """The strongly connected components of more than one file (Tarjan, without recursion)."""
    index, low, stack, on, found = {}, {}, [], set(), []
    for root in sorted(edges):
        if root in index:
            continue
        todo = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while todo:
            node, rest = todo[-1]
            child = next(rest, None)
            if child is not None:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    on.add(child)
                    todo.append((child, iter(sorted(edges.get(child, ())))))
                elif child in on:
                    low[node] = min(low[node], index[child])
                continue
            todo.pop()
            if todo:
                low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
            if low[node] == index[node]:
                component = set()
                while node not in component:
                    component.add(stack.pop())
                on -= component
                if len(component) > 1:
                    found.append(component)
    return found


def main():
    nm, rows = sys.argv[1], [row.split("=") for row in sys.argv[2:]]
    if not rows:
        sys.exit("no floors given")
    bad = 0
    for floor, archive, directory in rows:
        for how, edges in ("uses", by_symbol(nm, archive)), ("includes", by_include(floor, directory)):
            for component in circles(edges):
                bad += 1
                print(f"{floor}: a circle of {', '.join(sorted(component))}")
                for user in sorted(component):
                    for provider, names in sorted(edges[user].items()):
                        if provider in component:
                            print(f"    {user} {how} {', '.join(sorted(names))} of {provider}")
    if bad:
        sys.exit(f"{bad} circles: what two files want of each other goes into a third below them")


if __name__ == "__main__":
    main()
