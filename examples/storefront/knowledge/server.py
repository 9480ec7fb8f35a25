"""The server: two tools for callers, and one that no caller should reach."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx2 as httpx
import yaml
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

from examples.storefront.address import ShopClientSettings
from examples.storefront.customers import customer_headers
from service_base.settings import load

TIMEOUT_S = 4.0
FORBIDDEN = 403
WORD = re.compile(r"[a-z]+")


class Article(BaseModel):
    """What somebody wrote down."""

    id: str
    title: str
    words: list[str]
    text: str


class Found(BaseModel):
    """An answer."""

    say: str
    """In words that can be spoken."""
    title: str = ""


class Asked(BaseModel):
    """A question that a mechanic will answer."""

    say: str
    ticket: int | None = None
    """None: the shop does not know who asks."""


def read_articles() -> list[Article]:
    """All articles of the knowledge base."""
    file = Path(__file__).with_name("articles.yaml")
    return [Article.model_validate(one) for one in yaml.safe_load(file.read_text("utf-8"))]


def best(articles: Sequence[Article], question: str) -> Article | None:
    """The article that shares most words with *question*; None: no article shares one."""
    asked = set(WORD.findall(question.lower()))
    asked |= {word.removesuffix("s") for word in asked}
    found = max(articles, key=lambda one: len(asked & set(one.words)), default=None)
    return found if found is not None and asked & set(found.words) else None


def build(shop_url: str, api_key: str | None) -> MCPServer[Any]:
    """The server. It asks mechanics through the shop at *shop_url*."""
    server: MCPServer[Any] = MCPServer("knowledge")
    articles = read_articles()

    @server.tool()
    def search_articles(
        question: Annotated[str, Field(min_length=2, max_length=200, description="What is asked.")],
    ) -> Found:
        """Look up how something on a bicycle is done."""
        article = best(articles, question)
        if article is None:
            return Found(say="Our mechanics have written nothing about that.")
        return Found(say=article.text, title=article.title)

    @server.tool()
    async def ask_mechanic(
        question: Annotated[str, Field(min_length=2, max_length=200, description="What is asked.")],
        idempotency_key: str,
        call_id: str,
        caller: str,
        tenant: str | None = None,
    ) -> Asked:
        """Have a mechanic call the caller back with an answer."""
        headers = {
            "Idempotency-Key": idempotency_key,
            "X-Call-Id": call_id,
            **customer_headers(caller, tenant),
        }
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        async with httpx.AsyncClient(base_url=shop_url, timeout=TIMEOUT_S) as http:
            answer = await http.post("/v1/callbacks", json={"reason": question}, headers=headers)
        if answer.status_code == FORBIDDEN:
            return Asked(say=answer.json()["detail"])
        answer.raise_for_status()
        ticket = answer.json()["id"]
        return Asked(say="A mechanic will call you back about that.", ticket=ticket)

    @server.tool()
    def remove_article(id: str) -> str:
        """Remove an article; for the mechanics alone."""
        articles[:] = [article for article in articles if article.id != id]
        return "Removed."

    return server


def build_from_settings() -> MCPServer[Any]:
    """The server of this environment's shop."""
    settings = load(ShopClientSettings)
    key = settings.storefront_api_key
    return build(settings.storefront_url, key.get_secret_value() if key else None)
