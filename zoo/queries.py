"""User queries of every kind that the labeller must tell apart, made from templates, with their tags and difficulty.

Tags are those of the two published label sets: the seven of Table 4 and the twelve of its longer original. Maths and
code queries come from the problem generators; the rest from the templates below.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from zoo.problem import Language
from zoo.problems import problem

DIFFICULTIES = ("very easy", "easy", "medium", "hard", "very hard")
TO_SEVEN = {
    "Information seeking": "Information",
    "Reasoning": "Logic",
    "Planning": "Brainstorming",
    "Editing": "Editing",
    "Coding & Debugging": "Coding",
    "Math": "Math",
    "Role playing": "Others",
    "Data analysis": "Information",
    "Creative writing": "Brainstorming",
    "Advice seeking": "Others",
    "Brainstorming": "Brainstorming",
    "Others": "Others",
}
TAGS = tuple(TO_SEVEN)


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its twelve-set `tag`, a second tag or None, and a difficulty level from 1 to 5."""

    text: str
    tag: str
    second: str | None
    level: int


_TOPICS = (
    "the history of Rome", "electric cars", "black holes", "the water cycle", "modern music", "healthy food",
    "football", "the stock market", "solar energy", "photosynthesis", "climate change", "ancient Egypt",
    "computer networks",
    "the human heart", "volcanoes", "the moon", "artificial intelligence", "dinosaurs", "coffee", "space travel",
)  # fmt: skip
_TOPICS_ZH = ("太阳能", "人工智能", "古代历史", "健康饮食", "黑洞", "气候变化", "足球", "音乐", "电动汽车", "月球")
_PLACES = ("Paris", "Japan", "Brazil", "Italy", "Canada", "Egypt", "London", "India", "Spain", "Kenya")
_PEOPLE = ("a pirate", "a doctor", "a detective", "a teacher", "a king", "a robot", "a chef", "an astronaut")
_SPAN = ("three days", "a week", "a month", "two months", "a year")
_TEXTS = (
    "He go to school every days.", "I has two cat and one dog.", "She dont like the rain.", "They was late yesterday.",
    "The report are finish and it look good.", "We is going to the sea tomorrow.", "This book are very interesting.",
)  # fmt: skip
_BY_LEVEL: dict[str, tuple[tuple[str, ...], ...]] = {
    "Information seeking": (
        ("What is {topic}?", "Where is {place}?", "什么是{zh}?"),
        ("Tell me some facts about {topic}.", "What is the capital of {place}?", "介绍一下{zh}。"),
        ("Explain how {topic} changed over time.", "Why is {topic} important for {place}?", "为什么{zh}很重要?"),
        ("Compare the scientific views on {topic} and explain the evidence in depth.",),
        ("Give an expert review of the research literature on {topic}, with open questions and competing theories.",),
    ),
    "Reasoning": (
        ("If all birds can fly and Tweety is a bird, can Tweety fly?",),
        ("{a} is older than {b}. {b} is older than {c}. Who is the oldest?",),
        ("{a}, {b} and {c} sit in a row. {a} is not first. {b} sits next to {c}. Who may be in the middle?",),
        ("One of {a}, {b} and {c} always lies. {a} says {b} lies. {b} says {c} lies. Who lies? Explain each case.",),
        ("Prove by formal deduction whether the statements of {a}, {b} and {c} about who lies can all be consistent.",),
    ),
    "Planning": (
        ("Make a short to-do list for tomorrow.",),
        ("Plan a trip to {place} for {span}.", "帮我做一个去旅行的计划。"),
        ("Plan a study schedule about {topic} for {span}.", "制定一个学习{zh}的计划。"),
        ("Plan a project about {topic} with a team, a budget and milestones over {span}.",),
        ("Design a full strategy for a new company in {place} about {topic} over {span}, with risks and fallbacks.",),
    ),
    "Editing": (
        ("Fix the grammar: {text}", "Correct this sentence: {text}"),
        ("Rewrite this sentence in a polite way: {text}", "Rephrase: {text}"),
        ("Proofread and shorten this text: {text} {text2}", "Edit this paragraph for clarity: {text} {text2}"),
        ("Rewrite this text for an academic journal, keeping every claim: {text} {text2} {text}",),
        ("Edit this as an expert copy editor, explain each change and check its style: {text} {text2} {text}",),
    ),
    "Role playing": (
        ("Pretend you are {person}. Say hello.",),
        ("Act as {person} and talk about {topic}.", "假装你是老师, 讲讲{zh}。"),
        ("You are {person} in {place}. Stay in character and answer my questions about {topic}.",),
        ("Act as {person} who argues about {topic} with {person2}; play both sides.",),
        ("Act as {person}, an expert on {topic}, in a long negotiation with {person2} in {place}.",),
    ),
    "Data analysis": (
        ("Which number in this list is the largest: {n1}, {n2}, {n3}?",),
        ("Here are the sales: {n1}, {n2}, {n3}. What do the data show?",),
        ("Analyze the trend in these data: {n1}, {n2}, {n3}, {n4}, and name outliers.",),
        ("Given the survey data {n1}, {n2}, {n3}, {n4}, fit a trend and interpret its statistics.",),
        ("Design a statistical analysis of the data set {n1}, {n2}, {n3}, {n4} with confounders and test its model.",),
    ),
    "Creative writing": (
        ("Write one line about {topic}.",),
        ("Write a short poem about {topic}.", "写一首关于{zh}的诗。"),
        ("Write a story about {person} in {place}.", "写一个关于{zh}的故事。"),
        ("Write a long story about {person} and {person2} in {place} with a surprising end.",),
        ("Write a novel chapter about {person} in {place} with three voices and a hidden theme of {topic}.",),
    ),
    "Advice seeking": (
        ("Should I drink more water?",),
        ("Can you recommend a book about {topic}?", "你能推荐一本关于{zh}的书吗?"),
        ("I feel tired at work. What should I do?", "How can I get better at {topic} in {span}?"),
        ("Should I move to {place} for work if my family wants to stay? Give advice.",),
        ("I have a legal and tax problem with a company in {place}. What should I do, step by step?",),
    ),
    "Brainstorming": (
        ("Give me a name for a cat.",),
        ("Give me five ideas for a party about {topic}.", "给我五个关于{zh}的点子。"),
        ("Brainstorm ten ideas for a small business about {topic}.",),
        ("Brainstorm new products that join {topic} and {topic2}, and rank the ideas.",),
        ("Invent novel research ideas that join {topic} and {topic2}, and judge each by cost and risk.",),
    ),
    "Others": (
        ("Hello!", "Thanks, bye.", "你好!", "ok"),
        ("How are you today?", "Tell me something.", "Are you there?"),
        ("asdf {n1} qwer", "?? {n2} !!"),
        ("{topic} {n1} {place} ...",),
        ("### {n1} {topic} {n2} {place} {n3} ###",),
    ),
}  # fmt: skip
_SECOND = {"Planning": "Advice seeking", "Creative writing": "Brainstorming", "Role playing": "Creative writing",
           "Data analysis": "Math", "Information seeking": None, "Coding & Debugging": "Reasoning"}  # fmt: skip


def query(rng: Random, tag: str | None = None, level: int | None = None) -> Query:
    """A query with known labels; tags and levels are drawn evenly unless given."""
    tag = tag or rng.choice((*TAGS, "Math", "Math", "Coding & Debugging", "Coding & Debugging"))
    level = level or rng.randint(1, 5)
    if tag == "Coding & Debugging":
        return Query(problem(rng, "code", level).prompt, tag, "Reasoning", level)
    if tag == "Math":
        item = problem(rng, rng.choice(("arithmetic", "equation", "story")), level)
        return Query(item.prompt, tag, "Reasoning" if item.kind == "story" else None, level)
    return Query(_write(rng, rng.choice(_BY_LEVEL[tag][level - 1])), tag, _SECOND.get(tag), level)


def _write(rng: Random, wording: str) -> str:
    names = rng.sample(("Tom", "Anna", "Ben", "Mia", "Sam", "Lily"), 3)
    topics, people, texts = rng.sample(_TOPICS, 2), rng.sample(_PEOPLE, 2), rng.sample(_TEXTS, 2)
    numbers = {f"n{i}": str(rng.randint(2, 300)) for i in range(1, 5)}
    return wording.format(
        topic=topics[0], topic2=topics[1], person=people[0], person2=people[1], text=texts[0], text2=texts[1],
        place=rng.choice(_PLACES), span=rng.choice(_SPAN), zh=rng.choice(_TOPICS_ZH),
        a=names[0], b=names[1], c=names[2], **numbers,
    )  # fmt: skip


def language_of(text: str) -> Language:
    """`zh` when the text holds a Chinese character."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"
