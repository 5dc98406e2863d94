"""What was decided, and the slots in which it is executed."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from plimsoll.engine.live.journal.file import JournalFile
from plimsoll.engine.live.journal.rows import Goal, PlanRow, SlotRow


class PlanTables(JournalFile):
    """Plans, their goals, and slots."""

    def add_plan(self, plan: PlanRow) -> None:
        """Write the decision of a session; there is one."""
        self._must_be_inside()
        self._db.execute(
            "INSERT INTO plan VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                plan.session.isoformat(), plan.decided.isoformat(), plan.made.isoformat(), int(plan.carried),
                str(plan.equity), plan.config_hash, plan.code_hash,
            ),
        )  # fmt: skip
        self._db.executemany(
            "INSERT INTO goal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    plan.session.isoformat(), one.symbol, str(one.qty), str(one.held), str(one.price), str(one.close),
                    "" if one.adv is None else str(one.adv), one.pair,
                )
                for one in plan.goals.values()
            ],
        )  # fmt: skip
        goals = {one.symbol: str(one.qty) for one in plan.goals.values()}
        self.event("plan", session=plan.session.isoformat(), decided=plan.decided.isoformat(), goals=goals)

    def plan(self, session: date) -> PlanRow | None:
        """Return the decision of a session."""
        row = self._db.execute("SELECT * FROM plan WHERE session = ?", (session.isoformat(),)).fetchone()
        return None if row is None else self._plan(row)

    def config_hashes(self) -> dict[date, str]:
        """Return by session the hash of the configuration that decided."""
        rows = self._db.execute("SELECT session, config_hash FROM plan ORDER BY session")
        return {date.fromisoformat(session): digest for session, digest in rows}

    def last_plan(self, *, decided: bool = False) -> PlanRow | None:
        """Return the newest plan; `decided` leaves out those that only carry an older one on."""
        only = "WHERE carried = 0" if decided else ""
        row = self._db.execute(f"SELECT * FROM plan {only} ORDER BY session DESC LIMIT 1").fetchone()
        return None if row is None else self._plan(row)

    def _plan(self, row: Sequence[Any]) -> PlanRow:
        goals = {
            one[1]: Goal(
                one[1], Decimal(one[2]), Decimal(one[3]), Decimal(one[4]), Decimal(one[5]),
                Decimal(one[6]) if one[6] else None, one[7],
            )
            for one in self._db.execute("SELECT * FROM goal WHERE session = ? ORDER BY rowid", (row[0],))
        }  # fmt: skip
        return PlanRow(
            date.fromisoformat(row[0]), date.fromisoformat(row[1]), datetime.fromisoformat(row[2]), bool(row[3]),
            Decimal(row[4]), row[5], row[6], goals,
        )  # fmt: skip

    def add_slot(self, slot: SlotRow) -> None:
        """Begin a slot; there is one of each name in a session."""
        self._must_be_inside()
        self._db.execute(
            "INSERT INTO slot VALUES (?, ?, ?, ?, 'open', ?, '')",
            (slot.session.isoformat(), slot.slot, slot.due.isoformat(), slot.ends.isoformat(), self.stamp()),
        )

    def slots(self, session: date | None = None, *, undone: bool = False) -> list[SlotRow]:
        """Return slots in order of time."""
        tests, args = ["1"], []
        if session is not None:
            tests.append("session = ?")
            args.append(session.isoformat())
        if undone:
            tests.append("state <> 'done'")
        only = f"FROM slot WHERE {' AND '.join(tests)} ORDER BY session, slot"
        return [
            SlotRow(
                date.fromisoformat(row[0]), row[1], datetime.fromisoformat(row[2]), datetime.fromisoformat(row[3]),
                row[4] == "done", row[5],
            )
            for row in self._db.execute(f"SELECT session, slot, due, ends, state, note {only}", args)
        ]  # fmt: skip

    def end_slot(self, slot: SlotRow, note: str) -> None:
        """Write that nothing more is sent in a slot."""
        self._must_be_inside()
        where = (slot.session.isoformat(), slot.slot)
        self._db.execute("UPDATE slot SET state = 'done', note = ? WHERE session = ? AND slot = ?", (note, *where))
        self.event("slot done", session=where[0], slot=slot.slot, note=note)
