"""Takes away the sentences that say only how an answer is to be written: every source puts its own around a problem.

Known by their words, not by a list of prints: a first or last sentence is such an instruction when all its words are
from a closed vocabulary about answers, steps and format. A number, a letter or any other word keeps it.
"""

from __future__ import annotations

import re

SENTENCE = 400  # characters; a longer sentence is part of the problem
_KEYS = frozenset(
    re.findall(
        r"\S+",
        """answer answers response responses boxed step steps stepwise reasoning solution explanation work working
        thinking thought thoughts code format think justify answering""",
    )
)
_WORDS = _KEYS | frozenset(
    re.findall(
        r"\S+",
        """a an the in into inside within at by with without of to for from on its it your my you me is be as are and or
        then so that this these below above after before should must will can only just all each every own where let us
        lets s please solve present put place give provide express write return output box enclose wrap include ensure
        make sure remember reason explain show use respond reply state report enter follow separate keep do don t not
        begin start end verify check simplify given using have first last final finally once line lines form letter
        option choice result results process calculations details detail detailed latex tex tag tags notation quotes
        brackets delimiters backticks block marks simplest simplified correct complete full single clear clearly
        carefully logically logical efficiently efficient concisely concise short brief briefly thoroughly thorough
        systematic following question questions problem problems math maths mathematics mathematical task directly
        double newlines dollar signs enclosed presented placed written expressed formatted provided ending program
        passes tests integer triple like harmless qwen alibaba cloud developed created
        python expert assistant tutor helpful mathematician programmer teacher solver here user""",
    )
)
_PROMPT = re.compile(r"(?:#+ )?(?:answer|solution|response|答案|解答|解|回答)\s*[:：]\s*\Z", re.I)
_CHINESE = re.compile(
    r"(?:请|你|您|我们|让|通过|逐步|一步步|一步一步|分步|推理|思考|推导|解答|回答|解决|问题|题目|下列|以下|下面|这道"
    r"|数学|题|并|且|然后|将|把|最终|最后|答案|结果|放置|放入|放|置|写|填|在|于|到|中|里|内|之|给出|输出|使用|用|以|按"
    r"|格式|形式|的|来|过程|步骤|详细|完整|清晰|解题|说明|展示|boxed|latex|[\s,:;.!'\"()\[\]{}\\$、，。；：！])+",
    re.I,
)
_CHINESE_KEY = re.compile(r"答案|推理|步|思考|解答|回答|过程|boxed", re.I)
_OPENING = re.compile(
    r"\W*(?:(?:please )?(?:solve|answer|complete|do) (?:the following|this|the)"
    r"|(?:here|below|this) is an?|you are an?)\b",
    re.I,
)
_FIRST_WORD = re.compile(r"\W*([A-Za-z]+)(?![\u3400-\u9fff])")
_LAST_WORD = re.compile(r"(?<![\u3400-\u9fff])\b([A-Za-z]+)[\x00-@\[-`{-\x7f]*\Z")
_PARTS = re.compile(r"[A-Za-z]+|[^A-Za-z]")
_PLAIN = frozenset(" \t\n.,:;!?'\"()[]{}*_#-`<>/\\|$&、，。；：！？")
_FIRST = re.compile(
    r"\s*(?:[^.!?:\n。！？：]|\.(?=\S)|(?<![\u3400-\u9fff]):(?=\S))*"
    r"(?:[.!?:]+(?=\s|\Z)|(?<=[\u3400-\u9fff]):|\n|[。！？：]|\Z)"
)
_BREAK = re.compile(r"(?:[.!?]['\")]*(?=\s)|[。！？]|\n)\s*")
_TEMPLATE_CODE = re.compile(
    r"\s*```[a-z+#]*\s*(?:#|//)?\s*(?:put |write )?your (?:code|solution|answer|program)[^`\n]{0,45}\s*```\s*",
    re.I,
)
_FULL_PRINTS = re.compile(
    r"you will be given a question \(problem specification\) and will generate a correct python program that matches "
    r"the specification and passes all tests\.(?: you will not return anything except for the program\.)?"
    r"|you are an expert python programmer\.|you are a helpful assistant\."
    r"|generate an executable python function generated from the given prompt\.(?: the function should take stdin as "
    r"input and print the output\. simply call the function after the definition\.| return the function body without "
    r"invoking it at the final solution\.)?"
    r"|(?:write|use) python code to solve the (?:problem|question)\."
    r"|(?:solve|write a solution to) the following (?:coding|programming) (?:problem|question|task) (?:using|in) "
    r"(?:the programming language )?python[.:]"
    r"|read the inputs from stdin,? solve the problem and write the answer to stdout \(do not directly test on the "
    r"sample inputs\)\.(?: enclose your code within delimiters as follows\. ensure that when the python program runs,? "
    r"it reads the inputs,? runs the algorithm and writes output to stdout\.)?",
    re.I,
)  # of OpenThoughts, LiveCodeBench, PRIME and KodCode: they name what only a program's problem can have
_HINTS = ("expert python", "executable python", "correct python", "python code to", "helpful assistant", "from stdin",
          " the following coding", " the following programming")  # fmt: skip


def without_instructions(text: str) -> str:
    """The text without the instructions that it begins or ends with; may be empty where it holds nothing else."""
    if "```" in text:
        text = _TEMPLATE_CODE.sub(" ", text).strip()
    small = text.lower()
    if any(hint in small for hint in _HINTS):
        text = _FULL_PRINTS.sub(" ", text).strip()
    while (shorter := _without_first(text)) != text:
        text = shorter
    while (shorter := _without_last(text)) != text:
        text = shorter
    return text


def _without_first(text: str) -> str:
    word = _FIRST_WORD.match(text)
    if word is not None and word[1].lower() not in _WORDS:  # nearly all texts
        return text
    found = _FIRST.match(text[: SENTENCE + 1])
    if found is None or not found[0].strip() or found.end() > SENTENCE or not is_instruction(found[0]):
        return text
    return text[found.end() :].strip()


def _without_last(text: str) -> str:
    text = text.rstrip()
    tail = text[-SENTENCE - 1 :]
    prompt = _PROMPT.search(tail, max(0, len(tail) - 20)) if tail.endswith((":", "：")) else None
    if prompt is not None and (prompt.start() == 0 or tail[prompt.start() - 1] in " \n"):
        return text[: len(text) - len(tail) + prompt.start()].rstrip()
    word = _LAST_WORD.search(tail, max(0, len(tail) - 30))
    if word is not None and word[1].lower() not in _WORDS:
        return text
    cut = 0
    for found in _BREAK.finditer(tail, 0, max(0, len(tail) - 1)):
        cut = found.end() if found.end() < len(tail) else cut
    if (cut == 0 and len(tail) > SENTENCE) or not is_instruction(tail[cut:]):
        return text
    return text[: len(text) - len(tail) + cut].rstrip()


def is_instruction(sentence: str) -> bool:
    """Whether a sentence only says how the answer is to be written."""
    if _CHINESE.fullmatch(sentence) and not sentence.isascii():
        return _CHINESE_KEY.search(sentence) is not None
    keyed = _OPENING.match(sentence) is not None
    for part in _PARTS.findall(sentence):
        if part.isalpha() and part.isascii():
            word = part.lower()
            if word not in _WORDS:
                return False
            keyed = keyed or word in _KEYS
        elif part not in _PLAIN:
            return False
    return keyed
