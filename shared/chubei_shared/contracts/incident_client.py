"""A client of incidents: what is known of them, who does what, what goes wrong, and what is reported."""

from collections.abc import Iterator
from uuid import UUID

from chubei_shared.contracts import call_out as calling
from chubei_shared.contracts import confirmations as confirming
from chubei_shared.contracts.aftermath import Aftermath
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.deviations import DeviationPage, DeviationReport, DeviationView, Lift, Outlook
from chubei_shared.contracts.exercises import (
    Advance,
    Cancel,
    Conclude,
    ExercisePage,
    ExerciseView,
    OpenExercise,
)
from chubei_shared.contracts.headcounts import (
    Headcount,
    HeadcountBoard,
    HeadcountPage,
    HeadcountView,
    OwnShelter,
)
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentPage, IncidentView
from chubei_shared.contracts.orders import (
    ServedView,
)
from chubei_shared.contracts.progress import ProgressView
from chubei_shared.contracts.reports import (
    Arrival,
    Discard,
    ReportEdit,
    ReportKind,
    ReportPage,
    ReportRequest,
    ReportSignature,
    ReportSummary,
    ReportView,
)
from chubei_shared.contracts.response import (
    IncidentTasks,
    ResponsePlan,
    ResponsePlanView,
    TaskPage,
    TaskStep,
    TaskView,
)
from chubei_shared.contracts.rest import RestClient, segment


class IncidentClient(RestClient):
    """What happens."""

    # Incidents

    def declare(self, incident: IncidentDeclaration) -> IncidentView:
        return self._post("/v1/incidents", incident, IncidentView)

    def incident(self, incident_id: UUID) -> IncidentView:
        return self._get(f"/v1/incidents/{incident_id}", IncidentView)

    def incidents(self) -> Iterator[IncidentView]:
        """All incidents, the latest first."""
        return self._rows("/v1/incidents", IncidentPage)

    def amend(self, incident_id: UUID, amendment: Amendment) -> IncidentView:
        """Add a change to the incident's record; the incident as it then stands."""
        return self._post(f"/v1/incidents/{incident_id}/amendments", amendment, IncidentView)

    def report_headcount(self, incident_id: UUID, headcount: Headcount) -> HeadcountView:
        """Who is at a shelter; also for its keeper, who has a link for it."""
        path = f"/v1/incidents/{incident_id}/shelters/{segment(headcount.shelter_id)}/headcounts"
        return self._post(path, headcount, HeadcountView)

    def shelter_of(self, incident_id: UUID, shelter_id: str) -> OwnShelter:
        """One shelter of the board."""
        return self._get(f"/v1/incidents/{incident_id}/shelters/{segment(shelter_id)}", OwnShelter)

    def headcounts(self, incident_id: UUID, shelter_id: str | None = None) -> Iterator[HeadcountView]:
        """Reports, the latest first."""
        return self._rows(f"/v1/incidents/{incident_id}/headcounts", HeadcountPage, shelter_id=shelter_id)

    def headcount_board(self, incident_id: UUID) -> HeadcountBoard:
        """The latest count of each shelter, and who is overdue."""
        return self._get(f"/v1/incidents/{incident_id}/shelters", HeadcountBoard)

    def served(self, incident_id: UUID) -> ServedView:
        """People served by what has been received so far, against the approved plan."""
        return self._get(f"/v1/incidents/{incident_id}/served", ServedView)

    # The response

    def put_response_plan(self, plan: ResponsePlan, if_match: str | None = None) -> ResponsePlanView:
        """A new version; the same again changes nothing."""
        return self._put("/v1/response-plan", plan, ResponsePlanView, if_match)

    def response_plan(self, version: int | None = None) -> ResponsePlanView:
        """The one in force, or another version."""
        return self._get("/v1/response-plan", ResponsePlanView, version=version)

    def incident_tasks(self, incident_id: UUID) -> IncidentTasks:
        return self._get(f"/v1/incidents/{incident_id}/tasks", IncidentTasks)

    def tasks(self, mine: bool = False, open: bool = False, to_post: str | None = None) -> Iterator[TaskView]:
        """The latest first; `mine`: those that a post of the caller was asked about."""
        return self._rows("/v1/tasks", TaskPage, mine=mine, open=open, to_post=to_post)

    def task(self, task_id: UUID) -> TaskView:
        return self._get(f"/v1/tasks/{task_id}", TaskView)

    def step_task(self, task_id: UUID, step: TaskStep) -> TaskView:
        """Acknowledge, complete, drop or reassign a task; the task as it is afterwards."""
        return self._post(f"/v1/tasks/{task_id}/steps", step, TaskView)

    # Who is called

    def put_people(self, register: calling.CallRegister) -> int:
        """Create or replace people on the call register, all or nobody; how many rows changed."""
        return self._put("/v1/call-register", register, calling.RegisterChange).changed

    def put_person(self, person: calling.Person) -> calling.Person:
        return self._put(f"/v1/call-register/{segment(person.id)}", person, calling.Person)

    def people(
        self, place_id: str | None = None, duty: calling.CallDuty | None = None, active: bool | None = None
    ) -> Iterator[calling.PersonView]:
        """The register by id; phones masked for those who do not call."""
        return self._rows(
            "/v1/call-register", calling.PersonPage, place_id=place_id, duty=duty, active=active
        )

    def person(self, person_id: str) -> calling.PersonView:
        return self._get(f"/v1/call-register/{segment(person_id)}", calling.PersonView)

    def call_people_out(self, incident_id: UUID, body: calling.OpenCallOut) -> calling.CallOutView:
        """Open the sheet of an incident, or add to it."""
        return self._post(f"/v1/incidents/{incident_id}/call-out", body, calling.CallOutView)

    def call_out(self, incident_id: UUID) -> calling.CallOutView:
        return self._get(f"/v1/incidents/{incident_id}/call-out", calling.CallOutView)

    def call(self, call_id: UUID) -> calling.CallRecord:
        return self._get(f"/v1/calls/{call_id}", calling.CallRecord)

    def step_call(self, call_id: UUID, step: calling.CallStep) -> calling.CallRecord:
        return self._post(f"/v1/calls/{call_id}/steps", step, calling.CallRecord)

    # What suppliers confirm

    def ask_confirmations(
        self, incident_id: UUID, body: confirming.AskConfirmations
    ) -> confirming.ConfirmationList:
        return self._post(f"/v1/incidents/{incident_id}/confirmations", body, confirming.ConfirmationList)

    def confirmations(self, incident_id: UUID) -> confirming.ConfirmationList:
        return self._get(f"/v1/incidents/{incident_id}/confirmations", confirming.ConfirmationList)

    def confirmation(self, confirmation_id: UUID) -> confirming.ConfirmationView:
        return self._get(f"/v1/confirmations/{confirmation_id}", confirming.ConfirmationView)

    def answer_confirmation(
        self, confirmation_id: UUID, answer: confirming.ConfirmationAnswer
    ) -> confirming.ConfirmationView:
        """The last answer counts; the same again is the same answer."""
        return self._post(f"/v1/confirmations/{confirmation_id}:answer", answer, confirming.ConfirmationView)

    def release_confirmation(self, confirmation_id: UUID) -> confirming.ConfirmationView:
        return self._post(f"/v1/confirmations/{confirmation_id}:release", None, confirming.ConfirmationView)

    # Deviations

    def report_deviation(self, incident_id: UUID, report: DeviationReport) -> DeviationView:
        return self._post(f"/v1/incidents/{incident_id}/deviations", report, DeviationView)

    def deviations(self, incident_id: UUID) -> list[DeviationView]:
        """All of an incident, lifted ones too, as they were reported."""
        return self._get(f"/v1/incidents/{incident_id}/deviations", DeviationPage).rows

    def lift_deviation(self, deviation_id: UUID, reason: str) -> DeviationView:
        return self._post(f"/v1/deviations/{deviation_id}:lift", Lift(reason=reason), DeviationView)

    def outlook(self, incident_id: UUID) -> Outlook:
        """What comes of the plan in force as things stand."""
        return self._get(f"/v1/incidents/{incident_id}/outlook", Outlook)

    def progress(self, incident_id: UUID, every_min: int = 5) -> ProgressView:
        """Where each trip is, and people served: as planned, so far, and as it comes out."""
        return self._get(f"/v1/incidents/{incident_id}/progress", ProgressView, every_min=every_min)

    # Exercises

    def open_exercise(self, incident_id: UUID, body: OpenExercise) -> ExerciseView:
        """Freeze a copy of the stock and take the script. Raises Conflict, Invalid."""
        return self._post(f"/v1/incidents/{incident_id}/exercise", body, ExerciseView)

    def exercise(self, incident_id: UUID) -> ExerciseView:
        return self._get(f"/v1/incidents/{incident_id}/exercise", ExerciseView)

    def exercises(self) -> ExercisePage:
        """The latest, and the duty of the year."""
        return self._get("/v1/exercises", ExercisePage)

    def advance_exercise(self, incident_id: UUID, to_min: int) -> ExerciseView:
        """It is this minute: injects up to it are brought."""
        return self._post(
            f"/v1/incidents/{incident_id}/exercise:advance", Advance(to_min=to_min), ExerciseView
        )

    def conclude_exercise(self, incident_id: UUID, findings: str = "") -> ExerciseView:
        return self._post(
            f"/v1/incidents/{incident_id}/exercise:conclude", Conclude(findings=findings), ExerciseView
        )

    def cancel_exercise(self, incident_id: UUID, reason: str) -> ExerciseView:
        return self._post(f"/v1/incidents/{incident_id}/exercise:cancel", Cancel(reason=reason), ExerciseView)

    # Reports and the aftermath

    def aftermath(self, incident_id: UUID) -> Aftermath:
        return self._get(f"/v1/incidents/{incident_id}/aftermath", Aftermath)

    def draft_report(self, incident_id: UUID, request: ReportRequest) -> ReportView:
        """A draft from the books as they are now. Raises Conflict, Invalid."""
        return self._post(f"/v1/incidents/{incident_id}/reports", request, ReportView)

    def reports(self, incident_id: UUID, kind: ReportKind | None = None) -> Iterator[ReportSummary]:
        """The latest first."""
        return self._rows(f"/v1/incidents/{incident_id}/reports", ReportPage, kind=kind)

    def report(self, report_id: UUID) -> ReportView:
        return self._get(f"/v1/reports/{report_id}", ReportView)

    def edit_report(self, report_id: UUID, edit: ReportEdit) -> ReportView:
        """Raises Conflict where it is signed, or somebody else has edited it since."""
        return self._send("PUT", f"/v1/reports/{report_id}", edit, ReportView)

    def sign_report(self, report_id: UUID, seen: str) -> ReportView:
        """`seen`: the hash of what was read. Raises Conflict, Forbidden, Invalid."""
        return self._post(f"/v1/reports/{report_id}:sign", ReportSignature(seen=seen), ReportView)

    def discard_report(self, report_id: UUID, reason: str) -> ReportView:
        return self._post(f"/v1/reports/{report_id}:discard", Discard(reason=reason), ReportView)

    def book_arrival(self, report_id: UUID, arrival: Arrival) -> ReportView:
        """What the city sent, against the request. Raises Conflict, Invalid."""
        return self._post(f"/v1/reports/{report_id}/arrivals", arrival, ReportView)
