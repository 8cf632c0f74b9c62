"""How a service runs Celery: messages are wake-ups only, what there is to do stands in PostgreSQL."""

from collections.abc import Callable
from typing import Any

from celery import Celery, signals

from chubei_shared import telemetry
from chubei_shared.china import CHINA
from chubei_shared.settings import Service, Settings


def make_app(service: Service, settings: Settings, longest_s: int) -> Celery:
    """The Celery app of `service`, with a queue of its name; a task that runs for `longest_s` is killed.

    The service adds its tasks, and the schedule by which beat wakes them.
    """
    app = Celery(service, broker=settings.redis_url)
    app.conf.update(
        task_default_queue=service,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=longest_s,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 2 * longest_s,  # above the longest task, or it would be started twice
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "retry_on_timeout": True,
        },
        timezone=CHINA,  # of the hours that a schedule names; messages are in UTC
    )

    def log_as_the_services_do(**_: Any) -> None:
        telemetry.configure(service)

    signals.setup_logging.connect(log_as_the_services_do, weak=False, dispatch_uid="chubei")
    return app


def task(app: Celery, name: str, **options: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a function a task of `app` alone: by default Celery gives it to each app made later, too."""
    decorator: Callable[[Callable[..., None]], Any] = app.task(name=name, shared=False, **options)
    return decorator
