"""The fields of a chat request that each provider documents, and what it calls them: facts, one table."""

from __future__ import annotations

from typing import Literal

Profile = Literal["compatible", "openai", "deepseek", "openrouter", "anthropic", "mistral", "gemini", "groq", "xai"]
COMMON = {"model", "messages", "temperature", "top_p", "max_tokens", "stop", "stream", "stream_options"}
# The fields that each provider documents for /chat/completions; None: whatever is sent (vLLM, SGLang, LiteLLM).
TAKES: dict[Profile, frozenset[str] | None] = {
    "compatible": None,
    "openai": frozenset(
        COMMON | {"max_completion_tokens", "seed", "presence_penalty", "reasoning_effort", "response_format"}
    ),
    "deepseek": frozenset(COMMON | {"presence_penalty", "response_format", "thinking"}),
    "openrouter": frozenset(
        COMMON
        | {"top_k", "min_p", "seed", "presence_penalty", "repetition_penalty", "reasoning", "reasoning_effort"}
        | {"response_format", "provider"}
    ),
    "anthropic": frozenset(COMMON | {"thinking"}),
    # Mistral and Gemini refuse every field that they do not know, with a default value, too.
    "mistral": frozenset(COMMON - {"stream_options"} | {"random_seed", "presence_penalty", "response_format"}),
    "gemini": frozenset(COMMON | {"reasoning_effort", "response_format"}),
    "groq": frozenset(COMMON | {"seed", "presence_penalty", "reasoning_effort", "response_format"}),
    "xai": frozenset(COMMON | {"seed", "presence_penalty", "reasoning_effort", "response_format"}),
}
CALLED: dict[Profile, dict[str, str]] = {
    "openai": {"max_tokens": "max_completion_tokens"},
    "mistral": {"seed": "random_seed"},
}
# The fields that tracemill itself may send; all others come from a recipe's `extra_body`.
OURS = frozenset(
    COMMON
    | {"seed", "top_k", "min_p", "presence_penalty", "repetition_penalty", "reasoning_effort", "chat_template_kwargs"}
    | {"thinking_token_budget", "repetition_detection", "continue_final_message", "add_generation_prompt"}
    | {"add_special_tokens", "return_token_ids", "prompt_logprobs", "structured_outputs", "response_format"}
)
NO_MATTER = {"seed", "stream_options"}  # without them an answer is only not repeatable, or its tokens uncounted
IDLE = {"repetition_penalty": 1.0, "add_generation_prompt": True}  # values that say what is so anyway
# Those that keep an answer to a JSON schema (response_format: json_schema), for some of their models at least.
SHAPES: frozenset[Profile] = frozenset({"openai", "openrouter", "mistral", "gemini", "groq", "xai"})
# Newer models of Anthropic take one of these two: the one that says something.
ONE_OF_TWO: frozenset[Profile] = frozenset({"anthropic"})
HOSTS: tuple[tuple[str, Profile], ...] = (
    ("openai.com", "openai"),
    ("deepseek.com", "deepseek"),
    ("openrouter.ai", "openrouter"),
    ("anthropic.com", "anthropic"),
    ("mistral.ai", "mistral"),
    ("googleapis.com", "gemini"),
    ("groq.com", "groq"),
    ("x.ai", "xai"),
)
# Anthropic's and Mistral's batches take other requests than their /v1/chat.
NO_BATCHES: frozenset[Profile] = frozenset({"deepseek", "openrouter", "anthropic", "mistral", "xai"})
