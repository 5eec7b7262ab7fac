"""supervisord, except that it never gives a process up: `python -m deploy.supervise -c FILE`.

supervisord waits a second longer before each new try and stops trying after `startretries`. Here
the wait stops growing at a minute, so a process comes back by itself once its trouble is over.
"""

from supervisor import process, supervisord

LONGEST_WAIT = 60  # seconds; the startretries of every program must be as many


class PatientSubprocess(process.Subprocess):  # type: ignore[misc] # supervisor has no types
    backoff: int  # seconds, counted up with each failure

    def transition(self) -> None:
        self.backoff = min(self.backoff, LONGEST_WAIT - 1)
        super().transition()


if __name__ == "__main__":
    # supervisord has no setting for the class of its processes; it looks it up here.
    process.Subprocess = PatientSubprocess
    supervisord.main()
