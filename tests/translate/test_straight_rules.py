"""Mappings made up at random: the function that is written from them gives what their rules give one by one."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.errors import Rejected
from hub.domain.order import Charge, Discount, Order, OrderLine, Requested, Skus, Totals
from hub.domain.party import Address, Identifier, Party
from hub.domain.tree import Node
from hub.ports import Function
from hub.translate import mapfile
from hub.translate.compile import Compiled, compile_mapping
from hub.translate.steps import BAD_VALUE


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CHAINS = (
    [], [], [], [], ["trim"], ["upper"], ["cut:3"], ["substr:1,2"], ["substr:2"], ["chunk:2,1"], ["pad:5,0"], ["pad:3"],
    ["then:X"], ["trim", "then:Y"], ["default:Q"], ["regex:^(.)"], ["join:-"], ["first"], ["count", "text"],
    ["map:kept"], ["text"], ["shout"], ["shout:9", "cut:2"], ["upper", "map:kept"], ["lower"], ["split:-", "join:+"],
    ["last", "trim"], ["digits"], ["replace:x,ya"], ["fold"], ["pad_right:4,z"], ["regex:^x", "then:A", "default:B"],
    ["default:R", "upper"], ["regex:([0-9]+)", "cut:1"],
)  # fmt: skip
STRICT = (
    ["decimal"], ["decimal:,"], ["date:%Y%m%d"], ["date"], ["dtm"], ["datetime"], ["datetime:%Y%m%d"], ["country"],
    ["nonzero"], ["sum"], ["map:codes"], ["lower", "decimal"], ["implied:2"], ["bool"], ["int"], ["plain"], ["fixed:2"],
    ["to_implied:2"], ["negate", "text"], ["date:%H%M"], ["split:,"], ["count"], ["decimal", "nonzero"], ["divide:4"],
    ["decimal", "negate"], ["round:1", "abs"], ["times:2", "plain"], ["minus"], ["plus", "fixed:1"], ["gtin"],
    ["country3"], ["datetime:%Y-%m-%d"], ["days:1"], ["nonzero", "text"], ["decimal", "nonzero", "text"],
)  # fmt: skip
WITH_ARGS = (["concat:-"], ["concat:-"], ["shout"], ["join:+"], ["dtm"], ["plus"], ["decimal"], ["times"])
TABLES = {
    "codes": {"codes": {"x": "original", "12": "EA", "EA": "", "9": "change", "DE": "web", "102": "7", "": "cancel"}},
    "kept": {"codes": {"x": "original", "9": "change", "UL": "12"}, "other": "keep"},
}
VALUES = (
    "x", "x", "9", "9", "12", "", " ", "0", "-1.50", "1,5", "20261122", "2026-11-22", "2026-11-22T10:00:00+02:00",
    "102", "DE", "EA", "UL", "true", "ST", "BY",
)  # fmt: skip
EDI_ROOT = words("""
    BEG.01 BEG.02 BEG.03 BEG.03.02 BEG.12 N1[01=ST].02 N1[01=ST].03 N1[01=BY].02 N1.01.01 N1[01=ST]/N4.01
    N1[01=ST]/N4.02.01 N1/N4[01=x].02 REF[01.01=x].01.02 REF[01.02=9].02 REF[01=x][02=9].03 REF[1].02
    REF[01=x][1].02 REF[*].02 REF[01=x][*].02 REF[*].01.02 N1/N4[*].01 N1[*]/N4.01 REF[0][*].02 PER{x}
    PER[01=9]{x} PER[0]{9} PER[*]{x} N1[01=BY]/PER{9} {x} N1[01=].02 @seq BEG . ../BEG.01
""")
EDI_LINE = words("""
    01 02 03 03.01 03.02 {x} {9} {EA} PID[01=x].02 PID[*].02 PID[01=x][*].02 PER{x} PID[1].02 ../BEG.01
    ../BEG.03 ../N1[01=ST].02 ../../BEG.01 ../{x} ../REF[*].02 @seq . ..
""")
PLAIN_ROOT = words("""
    a b c a.b b.c a.b.c b.a.c c.b.a.a a[0] b[1] b[0].c c[0].a.b a[*] b[*].c c[a=x].b c[a.b=x].b "a".b @seq .
    ../a items[0].a items[*].b
""")
RECORD_ROOT = words("""
    number currency purpose placed_on placed_at rate priority prices_include_tax buyer.name buyer.gln
    buyer.identifiers[scheme=x].value buyer.identifiers[0].scheme ship_to.city ship_to.latitude totals.grand
    requested.ship_by tags tags[*] notes[0] lines[0].sku.seller lines[*].ordered lines[*].sku.seller
    extensions.x extensions.x.y extensions lines source.kind buyer @seq .
""")
RECORD_LINE = words("""
    line_no ordered unit sku.seller sku.gtin unit_price ship_by pack discounts[0].amount discounts[*].amount
    extensions.x ../number ../ship_to.city ../placed_at @seq . taxes
""")
TEXTS = ("number", "external_id", "purpose", "release", "currency", "carrier", "department")
OTHERS = ("placed_on", "placed_at", "rate", "priority", "prices_include_tax", "tags", "payment_terms", "acceptance")


class Maker:
    """Makes up mappings, and documents for them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def some(self, values: Any, most: int) -> list[Any]:
        return self.dice.sample(list(values), self.dice.randint(1, min(most, len(values))))

    def value(self) -> Any:
        return self.dice.choice(VALUES)

    def when(self, paths: tuple[str, ...]) -> dict[str, Any]:
        kind = self.dice.choice(("is", "in", "present", "absent"))
        wanted: Any = {"is": self.value(), "in": [self.value(), self.value()]}.get(kind, self.dice.random() < 0.5)
        return {"path": self.dice.choice(paths), kind: wanted}

    def rule(self, paths: tuple[str, ...]) -> Any:
        dice = self.dice
        if dice.random() < 0.1:
            rule: dict[str, Any] = {"value": self.value()}
        else:
            sources = [dice.choice(paths) for _ in range(dice.choice((1, 1, 1, 2, 3)))]
            if dice.random() < 0.4:
                return sources if len(sources) > 1 else sources[0]
            rule = {"from": sources, "as": dice.choice(STRICT if dice.random() < 0.1 else CHAINS)}
            if dice.random() < 0.15:
                rule |= {"as": dice.choice(WITH_ARGS), "args": [dice.choice(paths)]}
            if dice.random() < 0.15:
                rule["table"] = dice.choice(("codes", "kept", "kept", "kept"))
            if dice.random() < 0.2:
                rule["default"] = self.value()
            if dice.random() < 0.05:
                rule["required"] = True
        if dice.random() < 0.2:
            rule["when"] = self.when(paths)
        return rule

    def rules(self, names: Any, paths: tuple[str, ...], most: int = 5) -> dict[str, Any]:
        return {name: self.rule(paths) for name in self.some(names, most)}

    def block(
        self, each: tuple[str, ...], names: Any, inside: tuple[str, ...], outside: tuple[str, ...]
    ) -> dict[str, Any]:
        block = {"each": self.dice.choice(each)} if self.dice.random() < 0.8 else {}
        block |= {"when": self.when(outside)} if self.dice.random() < 0.3 else {}
        return block | self.rules(names, inside if block.get("each") else outside)

    def order(
        self, root: tuple[str, ...], line: tuple[str, ...], each: tuple[str, ...], inner: tuple[str, ...]
    ) -> dict[str, Any]:
        """Make up an inward table."""
        table = {"number": {"value": "1"}} | self.rules(TEXTS, root, 6)
        table |= self.rules(OTHERS, root, 2) if self.dice.random() < 0.3 else {}
        table["buyer"] = self.rules(("name", "kind", "gln", "email"), root, 3)
        table["ship_to"] = self.rules(("city", "line1", "country", "phone"), root, 3)
        if self.dice.random() < 0.2:
            table["totals"] = self.rules(("grand", "tax"), root, 2)
        table["extensions"] = {"x": self.rules(("p", "q", "r"), root), "y": self.rule(root)}
        table["buyer"]["identifiers"] = [{"scheme": self.rule(root), "value": self.rule(root)}]
        if self.dice.random() < 0.3:
            table["buyer"]["when"] = self.when(root)
        charge = {"kind": {"value": "fee"}, "amount": {"value": "1"}}
        table["charges"] = [charge | self.block(each, ("kind", "description"), line, root) for _ in range(2)]
        lines = {"line_no": "@seq", "ordered": {"value": "1"}} | self.block(
            each, ("line_no", "description", "unit", "external_id"), line, root
        )
        lines |= self.rules(("ordered", "unit_price", "ship_by", "pack"), line, 2) if self.dice.random() < 0.2 else {}
        lines["sku"] = self.rules(("seller", "buyer", "gtin"), line if "each" in lines else root)
        lines["discounts"] = {"amount": {"value": "1"}, "each": self.dice.choice(inner)}
        lines["discounts"] |= self.rules(("code", "funded_by"), line, 2)
        return table | {"lines": lines}

    def node(self, tag: str, depth: int = 0) -> Node:
        pool = (*VALUES, *([[], ["x"], ["", "9"], ["9", "x", "12"]] if self.dice.random() < 0.5 else []))
        elements = [tag, *(self.dice.choice(pool) for _ in range(self.dice.randint(0, 9)))]
        below = (
            {}
            if depth > 1
            else {name: self.nodes(name, depth + 1) for name in self.some(("N4", "PID", "PER", "REF"), 3)}
        )
        return Node(tag, elements, below, self.dice.randint(1, 99))

    def nodes(self, tag: str, depth: int = 0) -> list[Node]:
        return [self.node(tag, depth) for _ in range(self.dice.randint(1, 3))]

    def tree(self) -> Node:
        return Node(
            "",
            ["", "x", "9"],
            {tag: self.nodes(tag) for tag in self.some(("BEG", "N1", "REF", "PER", "PO1", "SAC"), 6)},
        )

    def plain(self, depth: int = 0) -> Any:
        kind = self.dice.randrange(7 if depth < 4 else 4)
        if kind < 3:
            return self.value()
        if kind == 3:
            return self.dice.choice((None, 0, 12, True, False, Decimal("0"), Decimal("1.50"), Decimal("1E+2")))
        if kind == 4:
            return [self.plain(depth + 1) for _ in range(self.dice.randint(0, 3))]
        return {key: self.plain(depth + 1) for key in self.some(("a", "b", "c", "items"), 4)}

    def record(self) -> Order:
        dice = self.dice
        number = lambda: dice.choice((Decimal(0), Decimal("1.50"), Decimal("1E+2"), Decimal("-3")))  # noqa: E731
        day = dice.choice((None, date(2026, 11, 22), date(999, 1, 2)))
        instant = datetime(2026, 11, 22, 9, 5, dice.choice((0, 7)), dice.choice((0, 5)), tzinfo=UTC)
        lines = tuple(
            OrderLine(
                line_no=self.value(), ordered=number(), unit=self.value(), unit_price=number(), ship_by=day,
                sku=Skus(seller=self.value(), gtin=self.value()), pack=dice.choice((None, number())),
                discounts=tuple(Discount(amount=number(), code=self.value()) for _ in range(dice.randint(0, 2))),
                extensions={"x": self.plain(3)},
            )
            for _ in range(dice.randint(0, 3))
        )  # fmt: skip
        party = Party(name=self.value(), gln=self.value(), identifiers=(Identifier(scheme="x", value=self.value()),))
        return Order(
            number=self.value(), currency=self.value(), placed_on=day, placed_at=dice.choice((None, instant)),
            lines=lines, rate=dice.choice((None, number())), priority=dice.choice((0, 7)),
            prices_include_tax=dice.random() < 0.5, buyer=dice.choice((None, party)),
            ship_to=dice.choice((None, Address(city=self.value(), latitude=1.5))),
            totals=Totals(grand=dice.choice((None, number()))), requested=Requested(ship_by=day),
            tags=tuple(self.value() for _ in range(dice.randint(0, 2))), notes=(self.value(),),
            charges=tuple(Charge(kind=self.value(), amount=number()) for _ in range(dice.randint(0, 2))),
            extensions={"x": self.plain(2)},
        )  # fmt: skip

    def segments(self) -> list[dict[str, Any]]:
        """Make up blocks that stand under each other."""
        blocks: list[dict[str, Any]] = []
        for place in range(self.dice.randint(1, 6)):
            block: dict[str, Any] = {"id": f"b{place}", "tag": self.dice.choice(("HL", "N1", "REF"))}
            above = self.dice.choice(blocks) if blocks and self.dice.random() < 0.7 else {}
            inside = bool(above) and above["_line"]
            block |= {"under": above["id"]} if above else {}
            each = self.dice.random() < 0.4 and not inside
            block |= {"each": self.dice.choice(("lines", "lines", "charges", "tags"))} if each else {}
            block |= {"when": self.when(RECORD_LINE if inside else RECORD_ROOT)} if self.dice.random() < 0.2 else {}
            block["_line"] = inside or block.get("each") == "lines"
            paths = RECORD_LINE if block["_line"] else (".", "../number", "@seq") if each else RECORD_ROOT
            for position in self.some(range(1, 6), 4):
                kind = self.dice.randrange(6)
                counters = ("@hl", "@parent", "@count:HL", "@count", "@seq")
                block[f"{position:02d}"] = (
                    self.dice.choice(counters) if kind == 0
                    else {"01": self.rule(paths), "03": self.rule(paths)} if kind == 1
                    else self.rule(paths)
                )  # fmt: skip
            blocks.append(block)
        return [{key: value for key, value in block.items() if key != "_line"} for block in blocks]


def shout(value: Any, *others: Any) -> Any:
    if value == "UL":
        raise ValueError("too loud")
    return "!".join(str(one) for one in (value, *others))


def compiled(direction: str, rules: dict[str, Any], **head: Any) -> Compiled | None:
    """Compile what was made up; None where it is not a mapping."""
    mapping = mapfile.Mapping(name=f"made/up.{direction}", document="order", direction=direction, rules=rules,  # type: ignore[arg-type]
                              tables=TABLES, **head)  # fmt: skip
    try:
        return compile_mapping(mapping, {"shout": Function(name="shout", call=shout, help="")})
    except Rejected:
        return None


def compare(mapping: Compiled, document: Any) -> bool:
    """Compare both ways; say whether the function took the document."""
    made: Any = mapping.inwards or mapping.outwards
    if made.straight is None:
        return False
    try:
        quick = made.straight.run(document)
    except BAD_VALUE:
        return False
    try:
        slow = made.by_rules(document)
    except Rejected as error:
        pytest.fail(f"the function took what the rules refuse: {error}\n{made.straight.source}")
    assert quick == slow, made.straight.source
    assert msgspec.json.encode(quick) == msgspec.json.encode(slow), made.straight.source
    return True


CHECKED = settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)


@CHECKED
@given(seed=st.integers(0, 2**40), edifact=st.booleans())
def test_segments_in(seed: int, edifact: bool) -> None:
    maker = Maker(seed)
    each = ("PO1", "SAC[01=x]", "SAC[01=x][02=9]", "N1/N4", "N1[01=ST]/PID", "PO1[0]", "PO1", "REF[1]")
    rules = {"order": maker.order(EDI_ROOT, EDI_LINE, each, ("PID", "PID[01=x]", "../SAC", "../REF[1]"))}
    mapping = compiled("in", rules, syntax="edifact" if edifact else "x12")

    for _ in range(4 if mapping else 0):
        compare(mapping, maker.tree())  # type: ignore[arg-type]


@CHECKED
@given(seed=st.integers(0, 2**40))
def test_dicts_in(seed: int) -> None:
    maker = Maker(seed)
    each = ("items", "a", "b.c", "a[0]", "items[a=x]", "c.items", "items[*].b")
    rules = {"order": maker.order(PLAIN_ROOT, PLAIN_ROOT, each, ("a", "items", "../items", "../a[*].b"))}
    mapping = compiled("in", rules, syntax="json")

    for _ in range(4 if mapping else 0):
        compare(mapping, maker.plain())  # type: ignore[arg-type]


@CHECKED
@given(seed=st.integers(0, 2**40))
def test_objects_out(seed: int) -> None:
    maker = Maker(seed)
    body = maker.rules("abcdefgh", RECORD_ROOT, 8)
    body["nested"] = maker.rules("abc", RECORD_ROOT) | {"inner": maker.rules("ab", RECORD_ROOT)}
    of_charges = ("kind", "amount", "description", "../number", "../lines[*].unit", "@seq")
    of_discounts = ("amount", "code", "../line_no", "../../number", "../../lines[*].unit", "@seq")
    body["items"] = [
        maker.block(("charges", "charges[0]", "charges[kind=x]"), "abcd", of_charges, RECORD_ROOT),
        maker.block(
            ("lines[*].discounts", "lines[1].discounts", "lines.discounts[0]"), "abcd", of_discounts, RECORD_ROOT
        ),
        maker.block(("tags", "notes[0]", "extensions.x"), "abcd", (".", "../number", "@seq"), RECORD_ROOT),
    ]
    body["lines"] = {"each": "lines"} | maker.rules("abcdef", RECORD_LINE) | {"sub": maker.rules("ab", RECORD_LINE)}
    mapping = compiled("out", {"body": body})

    for _ in range(4 if mapping else 0):
        compare(mapping, maker.record())  # type: ignore[arg-type]


@CHECKED
@given(seed=st.integers(0, 2**40))
def test_segments_out(seed: int) -> None:
    maker = Maker(seed)
    mapping = compiled("out", {"segment": maker.segments()}, set="855")

    for _ in range(4 if mapping else 0):
        compare(mapping, maker.record())  # type: ignore[arg-type]
