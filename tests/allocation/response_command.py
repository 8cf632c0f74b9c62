"""A command that responds, as the tests make it up: its posts, its plan, and an incident."""

from uuid import UUID, uuid4

from chubei_allocation import sweeping
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.posts import Post
from chubei_shared.contracts.response import ResponsePlan, TaskStep
from chubei_shared.tokens import Role
from sqlalchemy import text

INVENTED = {"certainty": "invented", "source": "test"}
HOLDERS = {"DUTY": "wang", "HEAD": "sun", "MAYOR": "zhou"}


def a_duty(id: str, stage: str = "alarm", from_level: int = 4, to_post: str = "DUTY", **more) -> dict:
    return {
        "id": id, "stage": stage, "from_level": from_level, "to_post": to_post, "zh": f"做 {id}", "en": f"do {id}",
        "due_within_min": 60, "ack_within_min": 10, **more,
    }  # fmt: skip


def a_plan(*duties: dict) -> ResponsePlan:
    return ResponsePlan.model_validate({"duties": list(duties), "provenance": INVENTED})


PLAN = a_plan(
    a_duty("REPORT", "report", due_within_min=2880),
    a_duty("ALARM"),
    a_duty("CITY", "order", from_level=1, to_post="MAYOR", tier="district-government"),
    a_duty("DECIDE", "order", from_level=2, to_post="HEAD"),
)


class Command:
    """Posts, the plan, and an incident of level II; what the sweeper does is done when a test says so."""

    def __init__(self, district) -> None:
        self.district, self.house, self.tx = district, district.house, district.house.tx
        self.admin = self.house.as_(Role.ADMIN, name="admin")
        for id, holder, more in (
            ("MAYOR", "zhou", {}),
            ("HEAD", "sun", {"escalates_to": "MAYOR"}),
            ("DUTY", "wang", {"escalates_to": "HEAD", "deputy": "li"}),
        ):
            self.put_post(id, holder=holder, **more)
        self.admin.put_response_plan(PLAN)

    def put_post(self, id: str, **more) -> None:
        known = any(view.post.id == id for view in self.admin.posts())
        names = {"name_zh": f"岗位{id}", "name_en": f"post {id}", "provenance": INVENTED}
        self.admin.put_post(Post.model_validate({"id": id, **names, **more}), "*" if known else None)

    def sweep(self) -> None:
        sweeping.sweep(self.tx, self.house.gate)

    def declared(self) -> UUID:
        incident = self.district.declare(hours_ago=1)
        self.sweep()
        return incident.id

    def amend(self, incident_id: UUID, **change) -> None:
        body = {"id": uuid4(), "why": "核实后 / as verified", "change": change}
        self.district.commander.amend(incident_id, Amendment.model_validate(body))

    def person(self, name: str, role: Role = Role.CLERK):
        return self.house.as_(role, name=name)

    def task(self, incident_id: UUID, duty: str = "ALARM"):
        return next(task for task in self.admin.incident_tasks(incident_id).rows if task.duty_id == duty)

    def move(self, who, task, move: str, **more):
        return who.step_task(task.id, TaskStep(id=uuid4(), move=move, **more))

    def sql(self, statement: str, **values) -> None:
        self.tx(lambda session: session.execute(text(statement), values))

    def told(self, **more) -> list[tuple[str, str]]:
        return [(notice.to_post, notice.zh.split("(")[0]) for notice in self.admin.notices(**more)]
