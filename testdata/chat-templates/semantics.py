"""Writes semantics.json: small templates with what Python's jinja2 makes of them, set up as transformers does it.

Run with jinja2 3.1 installed: python testdata/chat-templates/semantics.py > testdata/chat-templates/semantics.json
"""

import json
from datetime import datetime

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime(2026, 3, 5, 14, 7, 9)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("body"), [], [], body).set_lineno(line)

    def body(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: NOW.strftime(f)
    return env


VARIABLES = {
    "text": "Łódź is  'nice' \"indeed\"\n\tand 🙂 too ",
    "word": "a,b,,c",
    "empty": "",
    "n": 7,
    "x": 2.5,
    "yes": True,
    "nothing": None,
    "list": [3, 1, 2],
    "names": ["b", "A", "c", "a"],
    "mixed": [1, 2.0, "x", None, True, {"a": [1]}],
    "dict": {"b": 1, "a": "two", "items": "hidden", "é": None},
    "people": [
        {"name": "Ann", "age": 30, "home": {"city": "Łódź"}},
        {"name": "bob", "age": 25},
        {"name": "Cyd", "age": 30, "tags": ["x", "y"]},
    ],
    "lines": "one\n\n  two\r\nthree\n",
    "floats": [0.1, 1e16, 1.5e-7, 123456789.125, 1e22, 100.0, 1e-4, 0.00001, 12345678901234567.0, 5e-324],
    "large": 12345678901234567890123,
}

TEMPLATES = r"""
{{ list }} {{ mixed }} {{ dict }} {{ floats }} {{ large }}
{{ text }}|{{ [text] }}
{{ ['\x00\x7f\xa0', '\u200b', "it's", 'say "x"', "'\"", '\\', '\ud7ff', '🙂'] }}
{{ text | tojson }} {{ mixed | tojson }} {{ dict | tojson }} {{ floats | tojson }} {{ large | tojson }}
{{ dict | tojson(indent=2) }}{{ people | tojson(indent=4) }}{{ [] | tojson(indent=2) }}{{ {} | tojson(indent=2) }}{{ [[]] | tojson(indent=2) }}
{{ text | tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': [1, 2]} | tojson(separators=(',', ':'), sort_keys=true) }}
{{ {none: 'b', true: 'c', 2.5: 'd'} | tojson }} {{ (1, 2) | tojson }} {{ ('a',) }} {{ () }} {{ 1, 2 }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ -2 ** 2 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 7 % -3.5 }}
{{ 1 + 2.0 }} {{ true + 1 }} {{ 'a' + 'b' }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'ab' * 3 }} {{ 2 * [1, 2] }} {{ 'ab' * -1 }} {{ -x }} {{ +n }} {{ - - n }}
{{ 1 ~ 2 ~ 'a' ~ none ~ true ~ [1] ~ 2.0 ~ missing }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 1 == 1.0 }} {{ true == 1 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ '🙂' > '\uffff' }} {{ none == none }} {{ missing == missing }} {{ (1,) == [1] }}
{{ 'a' in 'cat' }} {{ 1 in list }} {{ 'b' in dict }} {{ 'z' not in dict }} {{ 1 in (1, 2) }} {{ 'x' in missing }} {{ '' in '' }} {{ 2.0 in list }} {{ not 1 in list }}
{{ 1 and 0 }} {{ 0 or 'x' }} {{ not 0 }} {{ '' or none }} {{ 1 if yes else 2 }} {{ 1 if not yes }}| {{ 1 if 0 else 2 if 0 else 3 }}
{{ list[0] }} {{ list[-1] }} {{ list[9] }}| {{ list[1:] }} {{ list[::-1] }} {{ list[:-1] }} {{ list[::2] }} {{ list[5:1:-1] }} {{ list[-2:] }} {{ (1, 2, 3)[1:] }}
{{ text[0] }} {{ text[-3] }} {{ text[::-1] }} {{ text[:4] }} {{ text[-6:] }} {{ text[-4:-1] }} {{ text | length }} {{ 'abc'[::-2] }} {{ 'abc'[9] }}| {{ 'abc'[3:1] }}|
{{ dict.b }} {{ dict['items'] }} {{ dict.items() | list }} {{ dict.zzz }}| {{ dict['get']('b') }} {{ dict.get('q', 5) }} {{ dict.get('q') }} {{ dict.keys() }} {{ dict.values() | list }} {{ dict.items() }}
{{ people[0].home.city }} {{ people[0]['home']['city'] }} {{ people.0.name }} {{ people[1].home is defined }}
{{ list.append is defined }} {{ dict.pop is defined }} {{ list.count(1) }} {{ list.index(2) }} {{ 'a'.upper is defined }}
{{ list.append(4) }}
{{ dict.pop('b') }}
{{ dict.update({'q': 1}) }}
{% for a in list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }} {% endfor %}
{% for a in list %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('x', 'y') }}{{ loop.changed(a > 1) }} {% endfor %}
{% for a in [] %}x{% else %}none{% endfor %} {% for a in missing %}x{% else %}undefined{% endfor %} {% for a in list if a > 9 %}x{% else %}filtered{% endfor %}
{% for a in list if a != 1 %}{{ loop.index }}:{{ a }}/{{ loop.length }} {% endfor %}
{% for k, v in dict.items() %}{{ k }}={{ v }};{% endfor %} {% for k in dict %}{{ k }}{% endfor %} {% for c in 'a🙂' %}{{ c }}.{% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a in range(5) %}{% if a == 1 %}{% continue %}{% endif %}{% if a == 3 %}{% break %}{% endif %}{{ a }}{% endfor %}
{% for a in [1, [2, [3]]] recursive %}{% if a is number %}{{ a }}@{{ loop.depth }}{% else %}({{ loop(a) }}){% endif %}{% endfor %}
{% set q = 1 %}{% for a in [1, 2] %}{{ q }}{% set q = 5 %}{{ q }} {% endfor %}{{ q }} {% if true %}{% set q = 9 %}{% endif %}{{ q }}
{% set ns = namespace(a=1) %}{% for i in list %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }} {{ ns.zzz is defined }} {{ ns['a'] }}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set c = 1, 2 %}{{ c }} {% set t %}x{{ a }}y{% endset %}{{ t }} {% set u | upper | trim %} abc {% endset %}{{ u }}|
{% macro m(a, b=2, c=a) %}[{{ a }},{{ b }},{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=5) }}{{ m() }}{{ m(b=1, a=0) }}{{ m.name }}
{% macro m(n) %}{% if n > 0 %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(5) }} {{ m(2) | upper }} {{ m(1) is string }}
{% macro m() %}{{ later }}{% endmacro %}{% set later = 'seen' %}{{ m() }} {% for i in [1, 2] %}{{ m() }}{% endfor %}
{% macro m() %}{% for v in varargs %}{{ v }}{% endfor %}{{ kwargs }}{% endmacro %}{{ m(1, 2, k=3) }}
{% macro wrap(t) %}<{{ t }}>{{ caller(1) }}</{{ t }}>{% endmacro %}{% call(x) wrap('b') %}body{{ x }}{% endcall %}
{% filter upper %}abc{{ text }}{% endfilter %} {% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }} {% generation %}x{% set g = 1 %}{% endgeneration %}{{ g is defined }}
{{ missing }}| {{ missing is defined }} {{ missing is undefined }} {{ missing | default('d') }} {{ '' | default('d') }}| {{ '' | default('d', true) }} {{ none | default('d') }} {{ missing | length }} {{ missing | list }} {{ missing | string }}|
{{ missing.attribute }}
{{ missing + 1 }}
{{ missing() }}
{{ nothing.attribute }}| {{ nothing.a.b }}
{{ nothing[0] }}| {{ n.foo }}| {{ n[0] }}|
{{ n[0][1] }}
{{ nothing[0].a }}
{{ 'a' + 1 }}
{{ 'a' + missing }}
{{ [1] + 'a' }}
{{ 1 + 'a' }}
{{ 1 - 'a' }}
{{ none + 1 }}
{{ {} + {} }}
{{ 1 / 0 }}
{{ 1 < 'a' }}
{{ none > 1 }}
{{ 1 in 5 }}
{{ 1 in none }}
{{ 1 in 'a' }}
{{ 5 | length }}
{{ none | length }}
{{ list | map('upper') | length }}
{{ list() }}
{{ 'x'() }}
{% for i in 5 %}{% endfor %}
{% for i in none %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for a, b in [(1,)] %}{% endfor %}
{{ [1] | items | list }}
{{ {[1]: 2} }}
{{ raise_exception('Do not ' ~ n) }}
{{ missing | tojson }}
{{ [missing] | tojson }}
{{ (list | map('string')) | tojson }}
{{ dict.items() | tojson }}
{{ dict.keys() | tojson }}
{{ dict is mapping }}{{ list is mapping }} {{ list is sequence }}{{ dict is sequence }}{{ text is sequence }}{{ n is sequence }}{{ dict.items() is sequence }}{{ missing is sequence }}
{{ list is iterable }}{{ dict is iterable }}{{ text is iterable }}{{ n is iterable }}{{ none is iterable }}{{ dict.items() is iterable }}{{ missing is iterable }}{{ (list | map('string')) is iterable }}
{{ n is number }}{{ x is number }}{{ yes is number }}{{ text is number }} {{ n is integer }}{{ yes is integer }}{{ x is integer }} {{ x is float }}{{ n is float }} {{ yes is boolean }}{{ 1 is boolean }}
{{ yes is true }}{{ 1 is true }}{{ false is false }}{{ 0 is false }} {{ none is none }}{{ missing is none }} {{ text is string }}{{ n is string }} {{ raise_exception is callable }}
{{ 3 is odd }}{{ 3 is even }}{{ 9 is divisibleby 3 }}{{ 9 is divisibleby(4) }} {{ 1 is in [1, 2] }}{{ 3 is not in [1] }} {{ 1 is eq 1 }}{{ 1 is ne 1 }}{{ 1 is lt 2 }}{{ 1 is ge 2 }} {{ 'a' is lower }}{{ 'A' is upper }}{{ '1' is lower }} {{ none is sameas none }}
{{ yes is not none and n is defined }} {{ n is not string or missing }} {{ not n is string }} {{ missing is not defined }}
{{ names | sort }} {{ names | sort(reverse=true) }} {{ names | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='name', reverse=true) | map(attribute='name') | join(',') }}
{{ names | unique | list }} {{ [1, 1.0, true, 2] | unique | list }} {{ names | unique(case_sensitive=true) | list }} {{ names | min }} {{ names | max }} {{ list | min }} {{ list | max }} {{ [] | max }}| {{ people | max(attribute='age') }}
{{ names | join }} {{ names | join(', ') }} {{ list | join('-') }} {{ people | join(',', attribute='name') }} {{ [1, none, missing] | join('|') }} {{ 'abc' | join('.') }} {{ dict | join(',') }}
{{ list | first }} {{ list | last }} {{ [] | first }}| {{ [] | last }}| {{ 'abc' | first }} {{ 'abc' | last }} {{ dict | first }} {{ list | reverse | list }} {{ 'abc' | reverse }} {{ list | sum }} {{ people | sum(attribute='age') }} {{ 'abc' | list }} {{ dict | list }}
{{ dict | dictsort }} {{ {'b': 1, 'A': 3, 'c': 2} | dictsort }} {{ {'b': 1, 'A': 3, 'c': 2} | dictsort(true) }} {{ {'b': 1, 'A': 3} | dictsort(by='value', reverse=true) }} {{ {'b': 1} | items | list }}
{{ people | selectattr('tags') | map(attribute='name') | list }} {{ people | selectattr('age', 'equalto', 30) | list | length }} {{ people | rejectattr('tags', 'defined') | map(attribute='name') | list }} {{ people | selectattr('home.city', 'defined') | list | length }}
{{ list | select('odd') | list }} {{ list | reject('odd') | list }} {{ list | select('>', 1) | list }} {{ [0, 1, ''] | select | list }} {{ list | reject('equalto', 1) | list }} {{ none | select | list }}
{{ names | map('upper') | list }} {{ names | map('replace', 'a', 'z') | list }} {{ people | map(attribute='home', default='none') | list }} {{ people | map(attribute='tags.0', default='-') | list }} {{ missing | map('upper') | list }}
{% set g = names | map('upper') %}{{ g | list }}{{ g | list }} {{ (names | map('upper')) is defined }} {% if [] | map('upper') %}true{% endif %}
{{ '  a b ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ 'aBc dE-f' | title }} {{ 'aBc' | capitalize }} {{ 'aBc' | upper }} {{ 'ABC' | lower }} {{ 12 | upper }} {{ 'a-b c' | replace('-', '+') }} {{ 'aaa' | replace('a', 'b', 2) }} {{ 'ab' | replace('', '-') }} {{ 5 | replace(5, 6) }}
{{ lines | indent }}| {{ lines | indent(2, true) }}| {{ lines | indent(2, blank=true) }}| {{ 'a\nb' | indent('> ') }} {{ 'a' | indent(3, first=true) }}| {{ '' | indent(2, true) }}|
{{ '5' | int }} {{ '5.9' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ 5.9 | int }} {{ -5.9 | int }} {{ 'ff' | int(0, 16) }} {{ none | int }} {{ true | int }} {{ ' 42 ' | int }} {{ '1e3' | int }} {{ '5' | float }} {{ 'x' | float }} {{ 3 | float }} {{ -3 | abs }} {{ -2.5 | abs }}
{{ 2.567 | round }} {{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.1 | round(0, 'ceil') }} {{ 2.9 | round(method='floor') }} {{ 42 | round }} {{ 1234.5 | round(-2) }}
{{ '<a href="x">' | e }} {{ ('<' | safe) + '>&' }} {{ ('<' | safe) ~ '>' }} {{ '<' + ('>' | safe) }} {{ '<' | safe }} {{ ('<' | safe) is string }} {{ ('<' | safe) == '<' }}
{{ '%s is %d, %.2f %5s|%-5s|%05d %% %r' % ('a', 5, 2.345, 'b', 'c', 42, 'q') }} {{ '%s' % 5 }} {{ '%s and %s' | format('a', 2) }} {{ '%(a)s' % {'a': 1} }} {{ '%x %X' % (255, 255) }} {{ '%+d' % 5 }}
{{ '{} {} {{}}'.format(1, 'b') }} {{ '{1} {0}'.format('a', 'b') }} {{ '{a} {b!r}'.format(a=1, b='x') }} {{ '{:>5}|{:<5}|{:^5}|{:05d}|{:.2f}|{:,}'.format('a', 'b', 'c', 42, 3.14159, 1234567) }} {{ '{:*^9}'.format('mid') }}
{{ word.split(',') }} {{ word.split(',', 1) }} {{ word.rsplit(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b c '.split(none, 1) }} {{ ' a  b c '.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a--b'.split('--')[-1] }} {{ lines.splitlines() }} {{ lines.splitlines(true) }}
{{ ' x '.strip() }}| {{ ' x '.lstrip() }}| {{ ' x '.rstrip() }}| {{ 'xyaxy'.strip('xy') }} {{ 'xya'.lstrip('x') }} {{ 'axy'.rstrip('y') }} {{ '\u00a0x\u2003'.strip() }}| {{ '\u200bx'.strip() | length }}
{{ 'abc'.startswith('ab') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('bc') }} {{ 'abc'.endswith('') }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.startswith('bcd') }}
{{ 'abcabc'.find('c') }} {{ 'abcabc'.find('c', 3) }} {{ 'abcabc'.rfind('c') }} {{ 'abc'.find('z') }} {{ 'abcabc'.count('bc') }} {{ 'aaa'.count('') }} {{ 'abc'.index('b') }} {{ '🙂b'.find('b') }} {{ 'abc'.find('') }} {{ 'aaaa'.count('aa') }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }} {{ '-'.join(names) }} {{ 'hello wORLD they\'re'.title() }} {{ 'hELLO'.capitalize() }}
{{ 'ab'.center(6) }}| {{ 'ab'.center(7) }}| {{ 'abc'.center(6) }}| {{ 'ab'.ljust(5, '.') }} {{ 'ab'.rjust(5, '.') }} {{ '-5'.zfill(4) }} {{ '42'.zfill(5) }} {{ 'a'.replace('a', 'b') }} {{ 'aXbX'.replace('X', '-', 1) }}
{{ '12'.isdigit() }}{{ 'a1'.isdigit() }}{{ ''.isdigit() }} {{ 'ab'.isalpha() }}{{ 'a1'.isalnum() }}{{ ' '.isspace() }} {{ 'Ab'.islower() }}{{ 'ab'.islower() }}{{ 'AB'.isupper() }}{{ '1'.isupper() }}{{ '½'.isnumeric() }} {{ 'ÀB'.lower() }} {{ 'straße'.upper() }}
{{ '-'.join([1, 2]) }}
{{ 'a'.split('') }}
{{ 'abc'.index('z') }}
{{ strftime_now('%Y-%m-%d %H:%M:%S %d %b %B %a %A %j %y %I %p %-d %% %e|%x %X|%c|%D %F %T %R') }}
{{ range(3) | list }} {{ range(1, 4) | list }} {{ range(5, 0, -2) | list }} {{ range(0) | list }} {{ dict | length }} {{ list | count }} {{ (1, 2) | length }} {{ namespace(a=1).a }}
{{ "{% if %}" }} {{ '{{ x }}' }} {{ '{# x #}' }} {% set s = '%}' %}{{ s }} {{ {'a': {'b': 1}} }} {{ {'a': {'b': {}}}['a'] }}
{{ 'a' 'b' "c" }} {{ 'tab\there\nnew \'q\' \x41 \u0141 \U0001F642 \101 \q' }}
a {#- comment -#} b {# {{ x }} #} c {% raw %}{{ raw }} {% if %}{% endraw %} d {%- raw -%}  x  {%- endraw -%} e
{{ 1_000 }} {{ 1.5e3 }} {{ 1e2 }}
{{ 1.5e3 }} {{ 1e2 }} {{ 1_0.5 }} {{ 1.0 }} {{ 100000000000000000.0 }} {{ 1e400 }} {{ -1e400 }}
{{ -1 | abs }} {{ (-1) | abs }} {{ n | string + 'x' }} {{ n | string ~ 'x' | upper }} {{ 2 * 3 ~ 4 }}
{{ not yes == false }} {{ (not yes) == false }} {{ 1 + 1 == 2 and 3 }} {{ 1 in [1] == true }} {{ n if n > 5 and n < 10 else 'no' }} {{ [1, 2,] }} {{ {'a': 1,} }} {{ (n) }} {{ 1 or 1 / 0 }}
{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %}{% if missing %}x{% elif nothing %}y{% else %}z{% endif %}{% if not list %}{% endif %}
{% if n in 1, 7 %}tuple{% endif %}
{% for i in 1, 2 %}{{ i }}{% endfor %}
{{ text['x'] }}| {{ list['x'] }}| {{ list[true] }} {{ dict[none] }}| {{ none[none] }}|
{{ 'a' if missing }}{{ ('a' if missing) is defined }}
{{ people | tojson | length }} {{ {'a': 1} == {'a': 1.0} }} {{ [1, [2]] == [1, [2.0]] }} {{ {'a': 1} != {'b': 1} }}
{{ 9007199254740993 }} {{ 9007199254740993 == 9007199254740992.0 }} {{ 9007199254740993 + 0 }} {{ 1e15 }} {{ 1e17 }} {{ 123456789012345680.0 }} {{ 0.1 + 0.2 }} {{ 1 / 3 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ -0.0 }}
""".strip("\n").split("\n")

WHITESPACE = [
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "a\n  {% if true %}  \n  b\n  {% endif %}  c\n\n",
    "a {%- if true -%} b {%- endif -%} c",
    "a\n  {%+ if true %}\nb{% endif +%}\nc",
    "  {{ 1 }}  \n  {{- 2 -}}  \n  3",
    "{% for i in [1, 2] %}\n  {{ i }}\n{% endfor %}\n",
    "{% for i in [1, 2] -%}\n  {{ i }}\n{%- endfor %}\n",
    "x\n\t{# comment #}\ny {# c #}\nz\n  {#- c -#}\n w",
    "{# c #}\n\n{% set a = 1 %}\n\n{{ a }}\n\n",
    "a\r\n{% if true %}\r\nb\r{% endif %}\r\nc\r\n",
    "  {% raw %}\n {{ x }}\n  {% endraw %}\n y",
    "{% set a = 1 %}  {% set b = 2 %}\n  x{% set c %}\n  q\n  {% endset %}\n{{ c }}|",
    "{{ 1 }}\n{{ 2 }}\n",
    "a {% if true %}b{% endif %} \n {% if true %} {% if true %}x{% endif %}{% endif %}",
    "\n\n{% if true %}\n\nx\n\n{% endif %}\n\n",
    "a\u00a0{%- if true %}b{% endif %}",
    "{%if true%}x{%endif%}{{1}}{{-1}}{{+1}}",
    "{% if true %}\n\n  {% if true %}\n    a\n  {% endif %}\n{% endif %}b",
]

BROKEN = [
    "{% if %}", "{% if x %}", "{{ x", "{{ 1 + }}", "{% for x %}{% endfor %}", "{% endif %}", "{% foo %}", "{{ 'abc }}", "{# x",
    "{% raw %} x", "{{ a b }}", "{{ ) }}", "{{ (1 }}", "{{ [1 }}", "{{ {'a' } }}", "{% set 1 = 2 %}", "{% set true = 1 %}", "{% break %}",
    "{% macro m( %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ f(a=1, 2) }}", "{{ x | }}", "{{ x is }}", "{{ x. }}",
    "{{ ! }}", "{{ 1 ? 2 }}", "{% if x %}{% else %}{% elif y %}{% endif %}", "{% for a in b %}{% endif %}", "{{ }}", "{% %}", "{{ x[ }}", "{{ a = 1 }}", "{{ 0 x }}",
]


def main():
    env = environment()
    cases = []
    for template in TEMPLATES + WHITESPACE:
        try:
            case = {"template": template, "text": env.from_string(template).render(**VARIABLES)}
        except Exception as e:
            case = {"template": template, "error": str(e)}
        cases.append(case)
    for template in BROKEN:
        try:
            env.from_string(template)
        except (jinja2.exceptions.TemplateSyntaxError, SyntaxError):
            continue
        raise AssertionError(template)
    print(json.dumps({"now": NOW.isoformat(), "variables": VARIABLES, "cases": cases, "broken": BROKEN}, ensure_ascii=False, indent=1))


main()
