"""Which way an order will be executed."""

from decimal import Decimal
from random import Random

from plimsoll.brokers.exchange.settings import Behaviour, Handling, HandlingRule
from plimsoll.brokers.exchange.ticket import Ticket


def choose_handling(ticket: Ticket, rules: list[HandlingRule], behaviour: Behaviour, random: Random) -> Handling:
    """Return how an order is handled: by the first rule that matches, by chance, or as all are.

    A rule for a number of orders counts down in `rules` and leaves it when it is used up.
    """
    for at, rule in enumerate(rules):
        if _matches(rule, ticket):
            if rule.times is not None:
                rules[at : at + 1] = [] if rule.times == 1 else [rule.model_copy(update={"times": rule.times - 1})]
            return rule.handling
    share = behaviour.random_partials
    if share > 0 and random.random() < share:
        return behaviour.handling.model_copy(update={"parts": (Decimal(random.randrange(1, 100)) / 100,)})
    return behaviour.handling


def _matches(rule: HandlingRule, ticket: Ticket) -> bool:
    return (
        rule.symbol in (None, ticket.symbol)
        and rule.side in (None, ticket.side)
        and rule.client_id in ticket.client_order_id
    )
