# SPDX-License-Identifier: Apache-2.0
"""The one-line mutants of a C file: each is a line of it, changed in one place."""
import re
from typing import Iterator, NamedTuple


class Mutant(NamedTuple):
    path: str  # from the root of the repository
    line: int  # from 1
    what: str  # "'<' to '<='", as equivalent.txt may name it
    kind: str  # the class: condition, boundary, constant, operator, statement, result
    old: str   # the whole line, without its newline
    new: str


KEYWORDS = ('if', 'while', 'for', 'switch', 'return', 'sizeof', 'else', 'do', 'case', 'goto', 'default', 'break',
            'continue', 'typedef', 'static', 'const', 'extern', 'struct', 'enum', 'union')

# Each row: a pattern in code, what it becomes. The first group is what is replaced.
SWAPS = [
    ('boundary', r'\s(<=)\s', '<'), ('boundary', r'\s(>=)\s', '>'),
    ('boundary', r'\s(<)\s', '<='), ('boundary', r'\s(>)\s', '>='),
    ('operator', r'\s(==)\s', '!='), ('operator', r'\s(!=)\s', '=='),
    ('operator', r'\s(&&)(?:\s|$)', '||'), ('operator', r'\s(\|\|)(?:\s|$)', '&&'),
    ('operator', r'[\w\])]\s(\+)\s[\w(]', '-'), ('operator', r'[\w\])]\s(-)\s[\w(]', '+'),
    ('operator', r'[\w\])]\s(\+=)\s', '-='), ('operator', r'[\w\])]\s(-=)\s', '+='),
    ('operator', r'[\w\])]\s(\*)\s[\w(]', '+'), ('operator', r'[\w\])]\s(/)\s[\w(]', '*'),
    ('operator', r'[\w\])]\s(%)\s[\w(]', '/'),
    ('operator', r'[\w\])]\s(&)\s[~\w(]', '|'), ('operator', r'[\w\])]\s(\|)\s[~\w(]', '&'),
    ('operator', r'\s(<<)\s', '>>'), ('operator', r'\s(>>)\s', '<<'),
    ('operator', r'\s(\|=)\s', '&='), ('operator', r'\s(&=)\s', '|='),
    ('result', r'\b(true)\b', 'false'), ('result', r'\b(false)\b', 'true'),
    ('result', r'\breturn (0);', '-EIO'), ('result', r'\breturn (-E[A-Z0-9]+);', '0'),
    ('result', r'\breturn (r);', '0'), ('result', r'\breturn (-errno);', '0'),
]
# What a kind decides (retry, exit status) differs between the two of each row.
KINDS = {'ERR_INPUT': 'ERR_HOST', 'ERR_DENIED': 'ERR_RETRY', 'ERR_ABSENT': 'ERR_DENIED', 'ERR_RETRY': 'ERR_DENIED',
         'ERR_INTEGRITY': 'ERR_HOST', 'ERR_HOST': 'ERR_INPUT', 'ERR_BUG': 'ERR_HOST'}


def blank(text: str) -> str:
    """The text with comments, strings and characters blanked: same length, same lines."""
    def hide(m: re.Match) -> str:
        return re.sub(r'[^\n]', ' ', m.group(0)) if m.group(0)[0] == '/' else \
            m.group(0)[0] + re.sub(r'[^\n]', 'S', m.group(0)[1:-1]) + m.group(0)[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', hide, text, flags=re.S)


def in_log_call(lines: list[str], i: int) -> bool:
    """Whether line i belongs to a call that only logs; such lines are not mutated."""
    while i >= 0:
        if re.search(r'\blog_(err|warning|notice|info|debug|text)\(', lines[i]):
            return True
        if i and re.search(r'[;{}:]\s*$', lines[i - 1]):
            return False
        i -= 1
    return False


def conditions(code: list[str], i: int) -> Iterator[tuple[str, int, int]]:
    """(word, start, end) of each `if (...)` and `while (...)` that opens and closes on line i."""
    for m in re.finditer(r'\b(if|while) \(', code[i]):
        depth, at = 0, m.end() - 1
        for at in range(m.end() - 1, len(code[i])):
            depth += {'(': 1, ')': -1}.get(code[i][at], 0)
            if not depth:
                yield m.group(1), m.end(), at
                break


def statement(code: list[str], i: int) -> str | None:
    """The statement that stands on line i alone, or None: a call, an assignment, a jump."""
    s = code[i].strip()
    if not s.endswith(';') or s.count(';') != 1 or s.startswith('(void)'):
        return None
    if i and not re.search(r'([;{}]|\)|else|do|:)\s*$', code[i - 1]) and code[i - 1].strip():
        return None  # the rest of an expression that began above
    if s in ('continue;', 'break;'):
        return s if s == 'continue;' or not any(re.search(r'\bcase\b', c) for c in code[max(0, i - 6):i]) else None
    if re.match(r'(?:\*?[\w.>\[\]()-]+)\s*([-+*/|&%^]|<<|>>)?=[^=]', s) or re.match(r'[\w.>-]+(\+\+|--);', s):
        return s
    word = re.match(r'(\w+)\(', s)
    return s if word and word.group(1) not in KEYWORDS and not re.match(r'log_|assert|_Static', s) else None


def constants(code: str, descriptors: set[str]) -> Iterator[tuple[int, int, str]]:
    for m in re.finditer(r'(?<![\w.\x22S])(0[0-7]+|0x[0-9a-f]+|[1-9]\d*|0)(UL|ULL|LL|U|L)?\b(?!\.)', code):
        digits, suffix = m.group(1), m.group(2) or ''
        before, after = code[:m.start()], code[m.end():]
        if re.search(r'return -?$', before) or (digits == '0' and re.search(r'[{]\s*$', before)):
            continue
        base = 16 if digits.startswith('0x') else 8 if len(digits) > 1 and digits[0] == '0' else 10
        value = int(digits, base) + 1
        if value > 40 and (re.match(r'\s*#define \w+_MS\s', code) or re.search(r'\w_ms = (\w+ \* )?$', before)):
            continue  # a millisecond more of so many: nobody could notice
        if re.search(r'(\bscope_fd int \w+|fd|\.(?:in|lock|log|sock|events)) = -$', before) or \
                re.search(r'(?:fd|\b(?:%s)) (?:<|>=) $' % '|'.join(descriptors | {'lock', 'sock'}), before):
            continue  # any negative number is no descriptor, and none is 0: main() opens the standard streams first
        if 'O_CREAT' not in code and digits == '0' and re.search(r'\bfile_open\([^;]*, $', before) and after[:1] == ')':
            continue  # the mode of a file that is not created
        if re.search(r'\[\s*$', before) and after.startswith(']') and re.match(r'\s*(?:static |const |unsigned )*\w+ ', code):
            continue  # the size of an array, one larger: nobody could notice
        yield m.start(), m.end(), {10: str(value), 8: '0%o' % value, 16: '0x%x' % value}[base] + suffix


# How a file is looked at: without one of these it is opened all the same, or the next call refuses what is no directory.
# O_CLOEXEC is among them, because whoever executes something closes all descriptors from 3 on (child.c, sandbox.c).
LOOKING = {'O_RDONLY', 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC'}


def unnoticed(code: str, m: re.Match, descriptors: set[str]) -> bool:
    """Whether a swap is one that nobody could notice, whatever the program is."""
    before, after = code[:m.start(1)], code[m.end(1):]
    left, right = re.search(r'(\w+)\s*$', before), re.match(r'\s*(\w+)', after)
    a, b = left.group(1) if left else '', right.group(1) if right else ''
    if m.group(1) in ('<', '>=', '>', '<=') and b == '0':
        return a in descriptors | {'lock', 'sock'} or a.endswith('fd')  # none is 0: main() opens the standard streams first
    if m.group(1) == '|':
        return {a, b} <= LOOKING
    return bool(re.search(r'\.changing = $', before))  # what a tree_walk() does when a file goes just then


def of_file(path: str, text: str) -> Iterator[Mutant]:
    lines, code = text.split('\n'), blank(text).split('\n')
    descriptors = set(re.findall(r'\bscope_fd int (\w+)', text))
    depth = 0  # of braces: 0 is outside of functions and tables
    for i, line in enumerate(lines):
        c, here = code[i], depth
        depth += c.count('{') - c.count('}')
        directive = c.lstrip().startswith('#')
        if directive and not re.match(r'#define \w+ +\(?\d', c):
            continue
        if '_Static_assert' in c or not c.strip() or in_log_call(code, i):
            continue

        def mutant(kind: str, what: str, start: int, end: int, new: str) -> Mutant:
            return Mutant(path, i + 1, what, kind, line, line[:start] + new + line[end:])

        for start, end, new in constants(c, descriptors):
            yield mutant('constant', f'{line[start:end]} to {new}', start, end, new)
        if directive or here == 0:
            continue
        for word, start, end in conditions(code, i):
            yield mutant('condition', f'{word} negated', start, end, f'!({line[start:end]})')
        for kind, pattern, new in SWAPS:
            if '=' in new and re.match(r'\s*for \(', c) and kind == 'boundary' and new not in ('<=', '>='):
                continue
            for m in re.finditer(pattern, c):
                if not unnoticed(c, m, descriptors):
                    yield mutant(kind, f"'{m.group(1)}' to '{new}'", m.start(1), m.end(1), new)
        for m in re.finditer(r'\b(ERR_[A-Z]+)\b', c):
            if m.group(1) in KINDS:
                new = KINDS[m.group(1)]
                yield mutant('result', f'{m.group(1)} to {new}', m.start(), m.end(), new)
        m = re.match(r'\s*return (err_(?:set|errno|wrap)\(.*\));', c)
        if m:
            yield mutant('result', 'returns 0', m.start(1), m.end(1), '0 * ' + line[m.start(1):m.end(1)])
        s = statement(code, i)
        if s:
            at = len(c) - len(c.lstrip())
            yield mutant('statement', 'removed', at, len(c.rstrip()), ';')
