"""Writes what transformers makes of the chat templates and Jinja constructs in src/test/resources/chat.

Run from anywhere with an interpreter that has transformers: python3 chat_templates.py
Also compares any further templates: python3 chat_templates.py OUT.json TEMPLATE.jinja...
"""

import json
import re
import sys
from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import _compile_jinja_template, render_jinja_template

RESOURCES = Path(__file__).resolve().parent.parent / "resources" / "chat"

TOOLS = [
    {"type": "function", "function": {
        "name": "price_of", "description": "Price of an \"article\" <in> the shop & more",
        "parameters": {"type": "object", "properties": {
            "article": {"type": "string", "description": "its näme"},
            "count": {"type": "integer", "default": 1, "enum": [1, 2, 12]},
            "discount": {"type": "number", "default": 1e-05}}, "required": ["article"]}}},
    {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]


def say(role, content):
    return {"role": role, "content": content}


def call(name, arguments, content="", identity="abcdefgh1"):
    return {"role": "assistant", "content": content, "tool_calls": [
        {"type": "function", "id": identity, "function": {"name": name, "arguments": arguments}}]}


def answer(content, identity="abcdefgh1"):
    return {"role": "tool", "content": content, "tool_call_id": identity}


SYSTEM = say("system", "You are terse.\n")
CASES = {
    "one_turn": dict(messages=[say("user", "2+2?")]),
    "system": dict(messages=[SYSTEM, say("user", "2+2?")]),
    "answered": dict(messages=[say("user", "2+2?"), say("assistant", "4")]),
    "many_turns": dict(messages=[SYSTEM, say("user", "  2+2? "), say("assistant", " 4\n"), say("user", "4"), say("assistant", "4"), say("user", "and 5+5 äöü 😀?"), say("assistant", "10 🎉")]),
    "thoughts": dict(messages=[say("user", "a"), say("assistant", "<think>\nhm {{ x }}\n</think>\n\nb"), say("user", "c"), say("assistant", "<think>\nwell\n</think>\n\nd")]),
    "no_thinking": dict(messages=[say("user", "a"), say("assistant", "b"), say("user", "c")], variables={"enable_thinking": False}),
    "thinking": dict(messages=[say("user", "a"), say("assistant", "b"), say("user", "c")], variables={"enable_thinking": True}),
    "tools": dict(messages=[say("user", "What is it?")], tools=TOOLS),
    "tools_system": dict(messages=[SYSTEM, say("user", "What is it?")], tools=TOOLS, variables={"tools_in_user_message": False}),
    "tool_calls": dict(messages=[SYSTEM, say("user", "How much is it?"), call("price_of", {"article": "pen's \"x\"", "count": 2, "discount": 0.5, "none": None, "yes": True}), answer("{\"price\": 3}"), say("assistant", "3 coins"), say("user", "thanks"), say("assistant", "welcome")], tools=TOOLS),
    "tool_calls_last": dict(messages=[say("user", "How much is it?"), call("price_of", {"article": "pen"}, "Let me see.")], tools=TOOLS),
    "tool_thoughts": dict(messages=[say("user", "x"), call("now", {}, "<think>\nI call\n</think>\n\nok"), answer("12:00"), say("assistant", "<think>\nfine\n</think>\n\nnoon"), say("user", "y"), say("assistant", "z")], tools=TOOLS),
    "two_answers": dict(messages=[say("user", "x"), call("now", {}), answer("1"), answer("2"), say("assistant", "z")], tools=TOOLS),
    "wrong_order": dict(messages=[say("user", "x"), say("user", "y")]),
    "markup": dict(messages=[say("user", "{{ 7*7 }} {% raw %} <|im_end|>"), say("assistant", "<|im_start|>assistant\nx")]),
    "blank_answer": dict(messages=[say("user", "x"), say("assistant", ""), say("user", "x"), say("assistant", "x")]),
}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
STANDING = {"date_string": "23 Nov 2026", **TOKENS}

# Each renders, or fails to, as Jinja under transformers' settings does. Variables: V.
V = {
    "s": "Hello, Wörld 😀!", "blank": "  a b \n", "n": 7, "x": 2.5, "small": 1e-05, "big": 1e16, "none": None, "t": True,
    "l": [3, 1, 2], "words": ["b", "A", "c", "a"], "d": {"b": 1, "a": [1, "x", None, True, 2.0], "items": 3}, "e": {},
    "m": [{"role": "user", "n": 2, "c": {"k": "v"}}, {"role": "assistant", "n": 1}, {"role": "user", "n": 3}],
    "html": "<a href='x'>&\"</a>", "nested": [["a", 1], ["b", 2]],
}
CONSTRUCTS = r"""
{{ s }}|{{ n }}|{{ x }}|{{ small }}|{{ big }}|{{ none }}|{{ t }}|{{ l }}|{{ d }}|{{ missing }}|{{ 1.0 }}|{{ 100000000000000000000.0 }}
{{ missing.x }}
{{ d.missing }}{{ d.missing is defined }}{{ none.x is defined }}
{{ missing + 'a' }}
{{ 'a' + 1 }}
{{ 'a' ~ 1 ~ none ~ 2.0 ~ l }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 7.5 // 2 }} {{ -x }} {{ 2 * 'ab' }} {{ l + [4] }} {{ l * 2 }}
{{ 1 / 0 }}
{{ (1 + 2) * 3 }} {{ not t }} {{ not missing }} {{ t and 'x' or 'y' }} {{ '' or none }} {{ 0 and 1 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ t == 1 }} {{ 'a' < 'b' }} {{ l == [3, 1, 2] }} {{ 'a' != 'b' }} {{ 1 == '1' }}
{{ 'a' < 1 }}
{{ 'Hell' in s }} {{ 3 in l }} {{ 9 not in l }} {{ 'b' in d }} {{ 'x' in missing }} {{ not 'a' in 'b' }}
{{ 'x' in none }}
{{ s[0] }}{{ s[-1] }}{{ s[-2] }}{{ s[99] }}|{{ l[-1] }}{{ l[9] }}|{{ d['b'] }}{{ d['zz'] }}|{{ m[0].role }}{{ m[0]['c']['k'] }}{{ m[0].c.k }}
{{ s[1:4] }}|{{ s[:-1] }}|{{ s[::-1] }}|{{ s[::2] }}|{{ l[::-1] }}|{{ l[1:] }}|{{ l[-2:] }}|{{ l[5:] }}|{{ l[2:0:-1] }}|{{ l[:1] }}|{{ l[-9:2] }}
{{ l[::0] }}
{{ d.items() | list }}|{{ d.keys() | list }}|{{ d.values() | list }}|{{ d.get('b') }}|{{ d.get('q') }}|{{ d.get('q', 'z') }}
{{ d['items'] }}
{{ blank.strip() }}|{{ blank.lstrip() }}|{{ blank.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xyaxy'.lstrip('xy') }}|{{ 'a\n\n'.rstrip('\n') }}|
{{ 'a,b,,c'.split(',') }}|{{ ' a  b '.split() }}|{{ 'a b c'.split(' ', 1) }}|{{ 'a b c'.split(maxsplit=1) }}|{{ 'a-b-c'.rsplit('-', 1) }}|{{ 'a\nb\r\nc\n'.splitlines() }}
{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith('bc') }}{{ 'abc'.startswith(('x', 'a')) }}|{{ 'aXbX'.replace('X', '-') }}|{{ 'aXbX'.replace('X', '-', 1) }}|{{ 'abc'.replace('', '.') }}
{{ s.upper() }}|{{ s.lower() }}|{{ 'hello world'.title() }}|{{ 'hELLO'.capitalize() }}|{{ s.find('W') }}|{{ s.find('zz') }}|{{ 'abab'.rfind('ab') }}|{{ 'abab'.count('ab') }}|{{ 'a'.join(['x', 'y']) }}
{{ 'a-b-c'.partition('-') }}|{{ 'a-b-c'.rpartition('-') }}|{{ '12'.isdigit() }}|{{ 'ab1'.isalnum() }}|{{ ''.isalpha() }}|{{ '7'.zfill(3) }}|{{ '-7'.zfill(4) }}|{{ 'a'.ljust(3) }}|{{ 'abc'.removeprefix('a').removesuffix('c') }}|
{{ l.append(1) }}
{{ d.update({}) }}
{{ l.index(1) }}{{ words.count('a') }}
{{ s.nosuch() }}
{{ nosuch() }}
{{ l | length }}{{ s | length }}{{ d | count }}|{{ l | first }}{{ l | last }}|{{ l | sort }}|{{ words | sort }}|{{ words | sort(case_sensitive=true) }}|{{ l | sort(reverse=true) }}|{{ m | sort(attribute='n') | map(attribute='n') | list }}
{{ words | join }}|{{ words | join(', ') }}|{{ m | join('/', attribute='role') }}|{{ [] | join(',') }}|{{ l | join('-') }}
{{ words | map('upper') | list }}|{{ m | map(attribute='role') | list }}|{{ m | map(attribute='c', default='-') | list }}|{{ m | map(attribute='c.k') | list | length }}|{{ ['a,b'] | map('replace', ',', ';') | list }}
{{ m | selectattr('role', 'equalto', 'user') | list | length }}|{{ m | rejectattr('role', '==', 'user') | map(attribute='n') | list }}|{{ m | selectattr('c') | list | length }}|{{ m | selectattr('c', 'defined') | map(attribute='n') | list }}
{{ l | select('odd') | list }}|{{ l | reject('odd') | list }}|{{ l | select('gt', 1) | list }}|{{ l | select('in', [1, 3]) | list }}|{{ [0, 1, '', 'a'] | select | list }}|{{ words | reject('equalto', 'a') | join(', ') }}
{{ l | sum }}|{{ m | sum(attribute='n') }}|{{ l | min }}{{ l | max }}|{{ m | max(attribute='n') }}|{{ [1, 1, 2, 'A', 'a'] | unique | list }}|{{ d | dictsort }}|{{ l | reverse | list }}|{{ 'abc' | reverse }}|{{ l | batch(2) | list }}
{{ blank | trim }}|{{ 'xax' | trim('x') }}|{{ none | trim }}|{{ s | upper }}|{{ s | lower }}|{{ 'hello world' | title }}|{{ 'hELLO' | capitalize }}|{{ 'aXb' | replace('X', '-') }}|{{ n | string + '!' }}
{{ html | escape }}|{{ html | e }}|{{ html | safe }}|{{ html }}
{{ missing | default('x') }}|{{ '' | default('x') }}|{{ '' | default('x', true) }}|{{ none | default('x') }}|{{ none | d('x', boolean=true) }}
{{ '42' | int }}|{{ '4.7' | int }}|{{ 'x' | int }}|{{ 'x' | int(5) }}|{{ '1.5' | float }}|{{ n | float }}|{{ -3 | abs }}|{{ 2.567 | round(2) }}|{{ 2.5 | round }}|{{ 2.4 | round(method='ceil') }}
{{ d | tojson }}|{{ html | tojson }}|{{ s | tojson }}|{{ s | tojson(ensure_ascii=true) }}|{{ d | tojson(indent=2) }}|{{ d | tojson(sort_keys=true) }}|{{ d | tojson(separators=(',', ':')) }}|{{ e | tojson(indent=4) }}|{{ [] | tojson(indent=4) }}|{{ small | tojson }}{{ big | tojson }}
{{ missing | tojson }}
{{ '\t\x41\u00e9\\n\'' | tojson }}
{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, first=true) }}|{{ 'a\n\nb' | indent(2, blank=true) }}
{{ '%s-%d-%05.2f' | format('a', 3, 2.5) }}|{{ '%s %r' % ('a', 'b') }}|{{ '%d%%' % 5 }}
{{ s | nosuch }}
{{ s is nosuch }}
{{ s is string }}{{ n is string }}{{ d is mapping }}{{ l is mapping }}{{ l is iterable }}{{ s is iterable }}{{ n is iterable }}{{ l is sequence }}{{ n is sequence }}{{ n is number }}{{ t is number }}{{ t is integer }}{{ n is integer }}{{ x is float }}
{{ missing is defined }}{{ missing is undefined }}{{ none is none }}{{ missing is none }}{{ none is not none }}{{ t is true }}{{ 1 is true }}{{ t is boolean }}{{ false is false }}
{{ 3 is odd }}{{ 3 is even }}{{ 9 is divisibleby 3 }}{{ 9 is divisibleby(2) }}{{ 'a' is in 'abc' }}{{ n is eq 7 }}{{ n is gt(3) }}{{ 'ab' is lower }}{{ 'AB' is upper }}{{ none is sameas none }}{{ namespace is callable }}
{{ 'yes' if t else 'no' }}{{ 'yes' if not t else 'no' }}{{ 'yes' if missing }}{{ 'a' if false else 'b' if false else 'c' }}{{ x is defined and x }}
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ i }};{% endfor %}
{% for i in l %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }}{{ loop.previtem is defined }},{% endfor %}
{% for i in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'aé😀' %}[{{ c }}]{% endfor %}
{% for k, v in d | items %}{{ k }}={{ v }};{% endfor %}{% for a, b in nested %}{{ a }}{{ b }}{% endfor %}
{% for i in l if i != 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}none{% endfor %}{% for i in [] %}x{% else %}empty{% endfor %}{% for i in missing %}x{% else %}undef{% endfor %}
{% for i in none %}x{% endfor %}
{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% for i in range(10, 0, -3) %}{{ i }} {% endfor %}{{ range(3) | list }}{{ range(2, 5) | list }}
{% for i in range(200000) %}{% endfor %}
{% set a = 1 %}{% for i in l %}{% set a = i %}{% endfor %}{{ a }}
{% set ns = namespace(a=1, b='x') %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}
{% set d.x = 1 %}
{% set ns = namespace({'a': 1}) %}{{ ns.a }}{% set ns._a = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, e) = nested[0] %}{{ c }}{{ e }}
{% set a, b = [1, 2, 3] %}
{% set a %}x {{ n }} y{% endset %}{{ a | upper }}{% set b | upper | trim %} q {% endset %}[{{ b }}]
{% if t %}{% set a = 5 %}{% endif %}{{ a }}{% if missing %}1{% elif n == 7 %}2{% else %}3{% endif %}
{% macro f(a, b='z', c=none) %}({{ a }}{{ b }}{{ c }}){% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(a='q', c=3) }}{{ f() }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{{ a }}{% endmacro %}{{ f(z=2) }}
{% macro f(k) %}{% if k > 0 %}{{ k }}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% set g = 3 %}{% macro f() %}{{ g }}{% set g = 4 %}{{ g }}{% endmacro %}{{ f() }}{{ g }}
{% macro f(a) %}[{{ a }}:{{ caller() }}]{% endmacro %}{% call f(1) %}inner {{ n }}{% endcall %}{% macro g() %}{{ caller(4) }}{% endmacro %}{% call(v) g() %}v={{ v }}{% endcall %}
{% filter upper %}abc {{ s }}{% endfilter %}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}
{% for i in [[1, [2]], [3]] recursive %}{% if i is iterable %}<{{ loop(i) }}>{% else %}{{ i }}{% endif %}{% endfor %}
{% raw %}{{ not }} {% rendered %}{% endraw %}{# gone #}x{#- gone -#}  y
{{ "a" "b" 'c' }}{{ [1, 'a', none,] }}{{ {'a': 1, 'b': [2]} }}{{ (1, 2) }}{{ (1,) }}{{ () }}{{ {} }}{{ {'k': {}}.k }}
{{ raise_exception('no!') }}
{{ dict(a=1, b=2) }}{{ dict([('x', 1)]) }}{{ joiner(',')() }}
{% set j = joiner('|') %}{% for i in l %}{{ j() }}{{ i }}{% endfor %}
{% include 'x' %}
{% import 'x' as y %}
{% extends 'x' %}
{{ ''.__class__ }}
{{ s.__class__.__mro__ }}
{% if t %}
{% for i in l %}{{ i }}
{{ 1 +
{{ 'abc }}
{% endif %}
{{ 'a'.format(1) if false else 'ok' }}
{{ "it's" }}{{ ["it's", 'say "x"', 'both \' "'] }}{{ ['\n\t\\'] }}
{{ 1_000 }}{{ 1e3 }}{{ 1.5e-7 }}{{ 123456789012 }}{{ 0.1 + 0.2 }}{{ 1e22 }}{{ 2 / 3 }}{{ 3.0 }}{{ 1e15 }}{{ 123456789.125 }}
{{ x | string }}{{ t | string }}{{ none | string }}{{ l | string }}
{{ (m | selectattr('role', 'equalto', 'user') | list)[-1] == m[2] }}{{ (s | upper).lower() }}{{ -n | abs }}
{{ {'a': 1}.items() | list }}{{ not (t and false) }}{{ t is defined and not t is none }}{{ 'a' not in 'b' and 'c' }}
{{ "don't_stop a.b (x <y ßa" | title }}|{{ "don't_stop a.b".title() }}
{% if m | selectattr('role', 'equalto', 'tool') %}t{% else %}f{% endif %}{% if [] | select %}t{% endif %}{% if [] | reject %}t{% endif %}{% if m | rejectattr('role') %}t{% endif %}{% if [] | map('string') %}t{% endif %}{% if [] | list %}t{% else %}f{% endif %}
{% if [] | unique %}t{% endif %}{% if [] | reverse %}t{% endif %}{% if e | items %}t{% endif %}{% if [] | batch(2) %}t{% endif %}{% if '' | reverse %}t{% else %}f{% endif %}{% if e | dictsort %}t{% else %}f{% endif %}
{% set g = l | map('string') %}{{ g | first }}|{{ g | join(',') }}|{{ g | join(',') }}|{{ (l | select)[0] is defined }}{{ l | select is sequence }}{{ l | select is iterable }}
{{ l | select | length }}
{{ l | map('string') | last }}
{% for i in l %}{{ i }}{% break %}{% else %}ELSE{% endfor %}|{% for i in l %}{{ i }}{% continue %}{% else %}ELSE{% endfor %}|{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% else %}ELSE{% endfor %}|{% for i in [] %}{% else %}ELSE{% endfor %}
{{ 7 | round }} {{ 1.1 | round(1, 'ceil') }} {{ 2.3 | round(1, 'floor') }} {{ 17 | round(-1) }} {{ 25 | round(-1) }} {{ 2.675 | round(2) }} {{ 7 | round(0, 'ceil') }} {{ 1234.5 | round(-2, 'floor') }} {{ true | round }} {{ -0.4 | round }} {{ (1e308 * 10) | round }} {{ 1.5 | round(200000000) }}
{{ 1.5 | round(2, 'up') }}
{{ '%.1f' % 0.25 }} {{ '%.0f' % 2.5 }} {{ '%.2f' % 0.125 }} {{ '%05.1f|%-6d|%+d|%5s|%.2s|%05d|% d' % (-2.55, 3, 4, 'a', 'xyz', -7, 5) }} {{ '%.3f' % 1e22 }} {{ '%f' % -0.0 }} {{ '%d%i%%' % (2.7, 3) }} {{ '%06r|%05f' % ('a', 1e308 * 10) }}
{{ 'a wörld, (foo) x½ it_s' | wordcount }} {{ '' | wordcount }}
{{ {(1, 2): 3}[(1, 2)] }}{{ {}[[1]] is defined }}{{ {1: 'a'}[true] }}{{ {1: 'a'}[1.0] }}{{ [1, 1.0, true, 0, -0.0] | unique | list }}{{ {1: 'a', true: 'b'} }}{{ {1: 2} == {true: 2.0} }}
{{ {[1]: 1} }}
{{ {}.get([1]) }}
{{ [[1], [1]] | unique | list }}
{{ '-5'.rjust(5, '0') }}{{ '-5'.zfill(5) }}{{ 'é'.ljust(3, 'ü') }}
{{ 'x'.ljust(3, 'ab') }}
{{ s[7] }}{{ s[-2] }}{{ s[4:16] }}{{ s[::-2] }}{{ s[5:1] }}|{{ s[-99:-1] }}{{ s | first }}{{ s | last }}{{ s | reverse }}
{{ 9007199254740993 == 9007199254740992.0 }}{{ 9007199254740993 > 9007199254740992.0 }}{{ 5.0 % 0.1 }} {{ -5.5 % 2 }} {{ 5.5 % -2.0 }}
{{ 'abcabcabcabcabcabcabcabd'.find('abcabcabcabcabcabd') }} {{ 'xabababababababababababy'.rfind('ababababababababab') }} {{ ('ab' * 20).count('ab' * 9) }} {{ ('ab' * 20).replace('ab' * 9, '-') }} {{ ('ab' * 20).rsplit('ab' * 9, 1) }} {{ ('ab' * 20).split('ab' * 9) }} {{ 'ba' * 9 in 'ab' * 20 }}{{ 'bb' * 9 in 'ab' * 20 }}{{ ''.find('') }}{{ 'a'.rfind('') }}
{{ ['ﬀ', '😀', 'a'] | sort }}{{ words | sort(reverse=true) }}{{ words | max }}
{{ '1d' | int }} {{ '1f' | float }} {{ '1_000' | int }} {{ 'inf' | float }} {{ 'inf' | int(3) }} {{ '2.9' | int }} {{ ' -1_0.5e1 ' | float }} {{ '0x1p3' | float }} {{ 'ff' | int(0, 16) }}
{{ range(9223372036854775800, 9223372036854775807, 100) | list }}{{ range(5, 0, -2) | list }}{{ range(3, 3) | list }}{{ range(-3, 4, 3) | list }}
{{ blank | indent(2, true, true) }}|{{ 'a\n\nb' | indent }}|{{ 'a\n\nb' | indent(1, blank=true) }}
{{ ['\u200b\xad\u2028\ue000\u3000\xa0\x7f\x85é😀\U000E0001'] }}
{{ 'a\u2028b\x85c\vd\x1ce\r\nf\n' .splitlines() }}{{ 'a\x0bb' .splitlines(true) }}
{{ "\101\0\18\377" }}
{{ [1] + (2,) }}{{ 1 }}
{{ (1,) + (2,) }}
""".strip("\n").split("\n")
WHITESPACE = [
    "a\n  {% if t %}\n  b\n  {% endif %}\nc\n", "a\n  {%- if t -%}\n  b\n  {%- endif %}\n\nc", "  {% if t %}x{% endif %}  {% if t %} y{% endif %}\n",
    "{% if t %}\n\n  x\n{% endif %}\n\n", "a\n  {{ n }}\n  b", "a\n  {{- n -}}\n  b", "a\n  {%+ if t %}\nb{% endif %}", "a {# c #}\nb\n   {# c #}\nc", "a\n   {#- c -#}   \nb",
    "x\n\t{% set a = 1 %}\ny{% if t +%}\nz{% endif %}", "a\r\nb\rc\n\n", "{% for i in l %}\n  {{ i }}\n{% endfor %}\nend", "{% macro f() %}\n  x\n{% endmacro %}\n[{{ f() }}]",
    "a {% if t %} b {% endif %} c", "\n{% if t %}\n{% if t %}\n   x{% endif %}\n{% endif %}", "{{ '  ' }}  {% if t %}{% endif %}", "{% if t %}a{% endif %}\n  {% if t %}b{% endif %}\n",
    "{% raw %}\n  {{ x }}\n  {% endraw %}\nb", "{% raw -%}  x  {%- endraw %} y", "a{{ n }}  {% if t %}b{% endif %}", "   \n  {% if t %}x{% endif %}",
    "x\u00a0{{- n -}}\u00a0\u3000y", "x\u00a0{%- if t -%}\u2007y{%- endif -%}\u202f\n z",
]


# Conversations as chat APIs write them, through apply_chat_template itself: all keys and roles, what null means.
def reason(content, key="reasoning_content", **more):
    return {"role": "assistant", "content": content, key: "because", **more}


CALL = call("price_of", {"article": "pen"})["tool_calls"]
GIVEN = {
    "null_content": dict(messages=[say("user", "x"), {"role": "assistant", "content": None, "tool_calls": CALL}, answer("3")], tools=TOOLS),
    "absent_content": dict(messages=[say("user", "x"), {"role": "assistant", "tool_calls": CALL}, answer("3")], tools=TOOLS),
    "empty_content": dict(messages=[say("user", "x"), {"role": "assistant", "content": "", "tool_calls": CALL}, answer("3")], tools=TOOLS),
    "null_calls": dict(messages=[say("user", "x"), {"role": "assistant", "content": "y", "tool_calls": None}, say("user", "z")]),
    "no_calls": dict(messages=[say("user", "x"), {"role": "assistant", "content": "y", "tool_calls": []}, say("user", "z")]),
    "reasoning": dict(messages=[say("user", "x"), reason("y"), say("user", "z"), reason("", tool_calls=CALL), answer("3")], tools=TOOLS),
    "older_reasoning": dict(messages=[say("user", "x"), reason("y", "reasoning"), say("user", "z"), reason("w", "thinking"), say("user", "v")]),
    "name": dict(messages=[{**say("user", "x"), "name": "ann"}, call("now", {}), {**answer("12:00"), "name": "now"}], tools=TOOLS),
    "further_keys": dict(messages=[{"content": "x", "role": "user", "weight": 2, "tags": ["a", None, {"b": 1.5}], "gone": None}]),
    "developer": dict(messages=[say("developer", "terse"), say("user", "x")]),
    "empty_tools": dict(messages=[say("user", "x")], tools=[]),
    "long_integers": dict(messages=[say("user", "x"), call("f", {"most": 2**63 - 1, "least": -2**63})]),
    "documents": dict(messages=[say("user", "x")], variables={"documents": [{"title": "t", "text": "d"}]}),
}
EVERYTHING = "{{ messages | tojson }}{{ tools | tojson }}{{ documents | tojson }}"
IS_NONE = "{% for m in messages %}{{ m.role }}:{{ m.content is none }}{{ m['content'] is defined }};{% endfor %}"
NAMED = [{"name": "default", "template": "plain {{ tools is none }}"}, {"name": "tool_use", "template": "tools {{ tools | length }}"}]


def given(template, messages, tools=None, variables=None):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **TOKENS)
    if isinstance(template, list):
        template = {one["name"]: one["template"] for one in template}
    tokenizer.chat_template = template
    return tokenizer.apply_chat_template(
        messages, tools=tools, tokenize=False, add_generation_prompt=True, **{"date_string": STANDING["date_string"], **(variables or {})})


def all_given():
    templates = {"everything": EVERYTHING, "is_none": IS_NONE, "named": NAMED}
    templates |= {path.stem: path.read_text() for path in sorted(RESOURCES.glob("*.jinja"))}
    return {"templates": {name: templates[name] for name in ("everything", "is_none", "named")}, "cases": GIVEN, "expected": {
        name: {case: attempt(lambda: given(template, **GIVEN[case])) for case in GIVEN} for name, template in templates.items()}}


def render(template, messages, add_generation_prompt, tools=None, variables=None, mask=False):
    texts, spans = render_jinja_template(
        conversations=[messages], tools=tools, chat_template=template, return_assistant_tokens_mask=mask,
        add_generation_prompt=add_generation_prompt, **{**STANDING, **(variables or {})})
    return (texts[0], [texts[0][a:b] for a, b in spans[0]]) if mask else texts[0]


def attempt(action):
    try:
        return action()
    except Exception as e:  # The reference refuses: so must we.
        return {"error": f"{type(e).__name__}: {e}"}


def conversations(template):
    marked = re.search(r"\{\%-?\s*generation", template)
    out = {}
    for name, case in CASES.items():
        out[name] = {
            "prompt": attempt(lambda: render(template, add_generation_prompt=True, **case)),
            "text": attempt(lambda: render(template, add_generation_prompt=False, **case)),
        }
        if marked:
            said = attempt(lambda: render(template, add_generation_prompt=False, mask=True, **case))
            out[name]["assistant"] = said[1] if isinstance(said, tuple) else said
    return out


def construct(template):
    return {"template": template, "expected": attempt(lambda: _compile_jinja_template(template).render(**V))}


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main():
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), {path: conversations(Path(path).read_text()) for path in sys.argv[2:]})
        return
    write(RESOURCES / "cases.json", CASES)
    write(RESOURCES / "standing.json", STANDING)
    expected = {path.stem: conversations(path.read_text()) for path in sorted(RESOURCES.glob("*.jinja"))}
    write(RESOURCES / "expected.json", expected)
    write(RESOURCES / "given.json", all_given())
    write(RESOURCES / "constructs.json", {"variables": V, "constructs": [construct(t) for t in CONSTRUCTS + WHITESPACE]})


if __name__ == "__main__":
    main()
