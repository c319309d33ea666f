"""Turn MyST Markdown into Markdown that any notebook shows: no directive, no role, no macro is left.

What only the built book knows (a figure's number, a citation's year, a computed value) is asked of a
resolver, so that this module knows nothing of Sphinx. Words that it does not know are errors: a chapter may
use only what a reader of the downloaded notebook will see.
"""

import re
from textwrap import dedent

FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
DIRECTIVE = re.compile(r"^\{(?P<name>[\w:.-]+)\}\s*(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<name>[\w-]+):\s*(?P<value>.*)$")
INLINE = re.compile(
    r"\{(?P<role>[a-zA-Z][\w:.-]*)\}(?P<ticks>`+)(?P<body>.+?)(?P=ticks)"
    r"|(?P<code>(?P<fence>`+)(?!`).+?(?<!`)(?P=fence)(?!`))"
    r"|(?<![\\$\w])\$(?P<math>[^$\s](?:[^$]*?[^$\s\\])?)\$(?![\d$])"
    r"|(?P<image>!)?\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s]*)\)"
    r"|\[(?P<span>[^\]\[]+)\]\{[.#][^}]*\}",
    re.DOTALL,
)
TARGET = re.compile(r"^\([\w:.-]+\)=\s*$")
ATTRIBUTES = re.compile(r"^\{[.#][^}]*\}\s*$")
BOXES = {
    "note": "Note",
    "tip": "Tip",
    "hint": "Hint",
    "important": "Important",
    "warning": "Warning",
    "caution": "Caution",
    "seealso": "See also",
}


class UnknownMarkupError(ValueError):
    """A directive or role that a downloaded notebook could not show."""


def convert(text: str, resolver) -> str:
    """Return one cell's MyST Markdown as plain Markdown."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(blocks(text.split("\n"), resolver))).strip("\n")


def blocks(lines: list[str], resolver):
    """Yield converted lines, one fenced block or run of text at a time."""
    position, run = 0, []
    while position < len(lines):
        opening = FENCE.match(lines[position])
        if not opening:
            run.append(lines[position])
            position += 1
            continue
        end = closing(lines, position, opening["marks"])
        yield from prose(run, resolver)
        run = []
        body = [line.removeprefix(opening["indent"]) for line in lines[position + 1 : end]]
        made = fenced(opening, body, resolver)
        yield from (opening["indent"] + line if line else "" for line in made.split("\n"))
        position = end + 1
    yield from prose(run, resolver)


def closing(lines: list[str], start: int, marks: str) -> int:
    """Return the line that closes the fence opened at ``start``."""
    for position in range(start + 1, len(lines)):
        bare = lines[position].strip()
        if len(bare) >= len(marks) and set(bare) == {marks[0]}:
            return position
    raise UnknownMarkupError(f"the block that opens with {lines[start]!r} is never closed")


def fenced(opening: re.Match, body: list[str], resolver) -> str:
    """Return one fenced block: code as it is, a directive converted."""
    found = DIRECTIVE.match(opening["info"].strip())
    if not found:
        marks = opening["marks"].replace(":", "`")
        return "\n".join([marks + opening["info"], *body, marks])
    name, argument = found["name"], found["argument"].strip()
    options, body = split_options(body)
    handler = DIRECTIVES.get(name)
    if handler is None:
        known = ", ".join(sorted(DIRECTIVES))
        raise UnknownMarkupError(
            f"the directive {{{name}}} has no form in a downloaded notebook; use one of {known}, or teach "
            "tools/ext/plain_markdown.py a new one"
        )
    return handler(name, argument, options, "\n".join(body).strip("\n"), resolver)


def split_options(body: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take a directive's ``:option: value`` lines (or its ``---`` block) from its body."""
    options, position = {}, 0
    if body and body[0].strip() == "---":
        end = next(i for i in range(1, len(body)) if body[i].strip() == "---")
        pairs = (line.partition(":") for line in body[1:end])
        return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}, body[end + 1 :]
    while position < len(body) and (found := OPTION.match(body[position])):
        options[found["name"]] = found["value"]
        position += 1
    return options, body[position:]


def prose(lines: list[str], resolver):
    """Yield running text: comments, targets and attributes dropped, mathematics and roles converted."""
    kept = [
        line
        for line in lines
        if not (line.startswith("% ") or line == "%" or TARGET.match(line) or ATTRIBUTES.match(line))
    ]
    text = display_math("\n".join(kept), resolver)
    if text or lines:
        yield from text.split("\n")


def display_math(text: str, resolver) -> str:
    """Convert ``$$ … $$`` (with an optional label behind it) apart from the text around it."""
    parts, last = [], 0
    for found in re.finditer(r"\$\$(?P<tex>.+?)\$\$(?: *\((?P<label>[\w:.-]+)\))?", text, re.DOTALL):
        parts += [
            inline(text[last : found.start()], resolver),
            equation(found["tex"], found["label"], resolver),
        ]
        last = found.end()
    return "".join([*parts, inline(text[last:], resolver)])


def inline(text: str, resolver) -> str:
    """Convert roles, inline mathematics and links within the book."""

    def replace(found: re.Match) -> str:
        if found["role"]:
            return role(found["role"], found["body"], resolver)
        if found["code"]:
            return found["code"]
        if found["math"]:
            return f"${expand(found['math'], resolver.macros)}$"
        if found["span"]:
            return found["span"]
        return link(found, resolver)

    return INLINE.sub(replace, text)


def link(found: re.Match, resolver) -> str:
    """Keep links to the web; ask the resolver about links within the book."""
    if re.match(r"[a-z]+:", found["target"]):
        return found[0]
    text = inline(found["text"], resolver)
    if found["image"]:
        return resolver.image(found["target"], text)
    return resolver.link(text, found["target"])


def expand(tex: str, macros: dict[str, str]) -> str:
    """Write out the book's own macros, which a notebook's MathJax does not know."""
    for name, meaning in macros.items():
        pattern = re.compile(re.escape(name) + r"(?![a-zA-Z])")
        while found := pattern.search(tex):
            end, filled = found.end(), meaning
            for number in range(1, meaning.count("#") + 1):
                if f"#{number}" not in meaning:
                    break
                argument, end = take_argument(tex, end)
                filled = filled.replace(f"#{number}", argument)
            space = " " if filled[-1].isalpha() and tex[end : end + 1].isalpha() else ""
            tex = tex[: found.start()] + filled + space + tex[end:]
    return tex


def take_argument(tex: str, start: int) -> tuple[str, int]:
    """Return a macro's next argument, braced or a single sign, and the place behind it."""
    while tex[start : start + 1] == " ":
        start += 1
    if tex[start : start + 1] != "{":
        return tex[start : start + 1], start + 1
    depth = 0
    for position in range(start, len(tex)):
        depth += {"{": 1, "}": -1}.get(tex[position], 0)
        if depth == 0:
            return tex[start + 1 : position], position + 1
    raise UnknownMarkupError(f"unbalanced braces in the formula {tex!r}")


def equation(tex: str, label: str | None, resolver) -> str:
    """Return a displayed formula, with its number where it has a label."""
    tex = expand(tex.strip(), resolver.macros)
    if "\\\\" in tex and "\\begin{" not in tex:
        tex = f"\\begin{{aligned}}\n{tex}\n\\end{{aligned}}"
    tag = f" \\tag{{{resolver.equation_number(label)}}}" if label else ""
    return f"$$\n{tex}{tag}\n$$"


def quote(text: str) -> str:
    """Return text as a block quote."""
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


# ---- directives: each takes name, argument, options, body and resolver, and returns Markdown -------------


def admonition(name, argument, options, body, resolver):
    """A box becomes a block quote with a bold title."""
    title = inline(argument, resolver) if name == "admonition" else BOXES[name]
    if name != "admonition" and argument:
        body = f"{argument}\n{body}"
    return quote(f"**{title}**\n\n{convert(body, resolver)}")


def dropdown(name, argument, options, body, resolver):
    """A folded answer stays folded."""
    title = re.sub(r"[*`$]", "", inline(argument, resolver))
    return f"<details>\n<summary>{title}</summary>\n\n{convert(body, resolver)}\n\n</details>"


def mathematics(name, argument, options, body, resolver):
    """A displayed formula."""
    return equation("\n".join(filter(None, [argument, body])), options.get("label"), resolver)


def figure(name, argument, options, body, resolver):
    """A picture travels inside the notebook; its caption follows."""
    picture = resolver.image(argument, options.get("alt", ""))
    caption = convert(body, resolver)
    number = resolver.figure_number(options["name"]) if options.get("name") else ""
    head = f"**{number}.** " if number and caption else ""
    return f"{picture}\n\n{head}{caption}".rstrip()


def literal_include(name, argument, options, body, resolver):
    """Code of the package is copied in."""
    caption = f"{inline(options['caption'], resolver)}\n\n" if options.get("caption") else ""
    language = options.get("language", "python")
    return f"{caption}```{language}\n{resolver.source(argument, options)}\n```"


def code_block(name, argument, options, body, resolver):
    """Code that is only shown."""
    return f"```{argument}\n{body}\n```"


def glossary(name, argument, options, body, resolver):
    """Terms in bold, one paragraph each."""
    entries = re.split(r"\n(?=\S)", dedent(body))
    shown = []
    for entry in entries:
        term, _, meaning = entry.partition("\n")
        meaning = re.sub(r"^: +", "", dedent(meaning).strip())
        shown.append(f"**{inline(term, resolver)}**: {convert(dedent(meaning), resolver)}")
    return "\n\n".join(shown)


def bibliography(name, argument, options, body, resolver):
    """The works that this chapter cites."""
    return "\n".join(f"- {entry}" for entry in resolver.bibliography())


def table(name, argument, options, body, resolver):
    """A Markdown table under its title."""
    return captioned(argument, options, convert(body, resolver), resolver)


def list_table(name, argument, options, body, resolver):
    """A table written as a list of lists."""
    rows = [re.split(r"\n *- ", "\n" + row)[1:] for row in re.split(r"^\* ", body, flags=re.MULTILINE)[1:]]
    cells = [[convert(" ".join(cell.split()), resolver) for cell in row] for row in rows]
    if not options.get("header-rows", "0").strip().startswith("1"):
        cells.insert(0, [""] * len(cells[0]))
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    lines.insert(1, "|" + "---|" * len(cells[0]))
    return captioned(argument, options, "\n".join(lines), resolver)


def captioned(argument, options, body, resolver):
    """A table's title in front of it."""
    number = resolver.figure_number(options["name"]) if options.get("name") else "Table"
    return f"**{number}.** {inline(argument, resolver)}\n\n{body}" if argument else body


def epigraph(name, argument, options, body, resolver):
    """Someone's words before a chapter."""
    return quote(convert(f"{argument}\n{body}".strip(), resolver))


def margin(name, argument, options, body, resolver):
    """A remark in the margin becomes a block quote."""
    title = f"**{inline(argument, resolver)}**\n\n" if argument else ""
    return quote(title + convert(body, resolver))


DIRECTIVES = {
    **dict.fromkeys([*BOXES, "admonition"], admonition),
    "dropdown": dropdown,
    "math": mathematics,
    "figure": figure,
    "image": figure,
    "literalinclude": literal_include,
    "code-block": code_block,
    "code": code_block,
    "glossary": glossary,
    "bibliography": bibliography,
    "table": table,
    "list-table": list_table,
    "epigraph": epigraph,
    "margin": margin,
}


# ---- roles ----------------------------------------------------------------------------------------------


def role(name: str, body: str, resolver) -> str:
    """Return one role as plain Markdown."""
    shown, target = split_reference(body)
    if name == "math":
        return f"${expand(body, resolver.macros)}$"
    if name in ("glue", "glue:text", "glue:md"):
        return resolver.value(body)
    if name in ("cite", "cite:p", "cite:t"):
        return resolver.citation([key.strip() for key in body.split(",")], in_text=name == "cite:t")
    if name in ("ref", "doc", "numref", "eq", "term", "download"):
        return getattr(resolver, f"reference_{name}")(inline(shown, resolver) if shown else "", target)
    raise UnknownMarkupError(
        f"the role {{{name}}} has no form in a downloaded notebook; use cite:t, cite:p, ref, eq, numref, "
        "doc, glue:text, math, term or download, or teach tools/ext/plain_markdown.py a new one"
    )


def split_reference(body: str) -> tuple[str, str]:
    """Return text and target of ``text <target>``; the text is empty where there is only a target."""
    found = re.fullmatch(r"(?P<text>.+?)\s*<(?P<target>[^<>]+)>", body, re.DOTALL)
    return (found["text"], found["target"]) if found else ("", body)
