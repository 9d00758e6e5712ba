"""What a late submission costs: a plugin for nbgrader's own step, chosen in `nbgrader_config.py`.

What enters: what a submission earned and by how much it is late, both from the gradebook. What leaves: the points
that nbgrader takes off. `nbgrader autograde`, formgrader's button and `course grade` all ask the same plugin.
"""

from __future__ import annotations

import math

from nbgrader.plugins import BasePlugin
from traitlets import Float

SECONDS_A_DAY = 24 * 60 * 60


class ShareLostPerDay(BasePlugin):
    """Each started day costs a share of what was earned, after a time of grace and up to a cap.

    In `nbgrader_config.py`::

        c.AssignLatePenalties.plugin_class = "autograder.lateness.ShareLostPerDay"
        c.ShareLostPerDay.share_per_day = 0.1
        c.ShareLostPerDay.grace_minutes = 15
        c.ShareLostPerDay.most = 0.5
    """

    share_per_day = Float(0.1, min=0.0, max=1.0, help="Share of the points lost for each started day.").tag(config=True)
    grace_minutes = Float(0.0, min=0.0, help="Minutes after the due date that cost nothing.").tag(config=True)
    most = Float(1.0, min=0.0, max=1.0, help="The largest share that can be lost.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """The points to take off.

        Args:
            student_id: whose submission it is; everybody is treated alike.
            score: what it earned, marks by people included.
            total_seconds_late: seconds after the due date, extensions taken into account.

        Returns:
            Points, never more than were earned; None when nothing is lost.
        """
        share = self.share_lost(total_seconds_late)
        return score * share if share > 0 and score > 0 else None

    def share_lost(self, seconds: float) -> float:
        """The share of the points that is lost so many seconds after the due date."""
        days = math.ceil((seconds - 60 * self.grace_minutes) / SECONDS_A_DAY)
        return min(self.most, max(0, days) * self.share_per_day)
