"""Names that judges put in front of a call-based solution (LeetCode style): star imports, list and tree nodes.

They are looked up as builtins, so a program's own names always win.
"""

import builtins
from collections import deque
from typing import Any

from .codec import linked_values, tree_values

_IMPORTS = """
import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools
import operator, io, sys, json
from typing import *
from collections import *
from heapq import *
from bisect import *
from itertools import *
from functools import *
from math import *
from operator import *
from string import *
"""


class ListNode:
    """A singly linked list node."""

    def __init__(self, val: Any = 0, next: "ListNode | None" = None) -> None:
        self.val = val
        self.next = next


class TreeNode:
    """A binary tree node."""

    def __init__(self, val: Any = 0, left: "TreeNode | None" = None, right: "TreeNode | None" = None) -> None:
        self.val = val
        self.left = left
        self.right = right


def list_node(values: list[Any]) -> ListNode | None:
    """Build a linked list."""
    head: ListNode | None = None
    for value in reversed(values):
        head = ListNode(value, head)
    return head


def tree_node(values: list[Any]) -> TreeNode | None:
    """Build a binary tree from LeetCode's level order."""
    if not values or values[0] is None:
        return None
    items = iter(values)
    root = TreeNode(next(items))
    queue = deque([root])
    while queue:
        node = queue.popleft()
        for side in ("left", "right"):
            value = next(items, None)
            if value is not None:
                child = TreeNode(value)
                setattr(node, side, child)
                queue.append(child)
    return root


def _same(values: Any) -> Any:
    return lambda first, second: values(first) == values(second)


NODE_HELPERS = {
    "ListNode": ListNode,
    "TreeNode": TreeNode,
    "list_node": list_node,
    "tree_node": tree_node,
    "is_same_list": _same(linked_values),
    "is_same_tree": _same(tree_values),
}
NODE_BUILDERS: dict[str, Any] = {"L": list_node, "T": tree_node, "R": lambda body: range(*body)}


def prelude_builtins() -> dict[str, Any]:
    """Return a builtins table that also holds the prelude."""
    names: dict[str, Any] = {}
    exec(compile(_IMPORTS, "<prelude>", "exec"), names)
    names = {name: value for name, value in names.items() if not name.startswith("__")}
    names.update(ListNode=ListNode, TreeNode=TreeNode)
    return {**names, **vars(builtins)}
