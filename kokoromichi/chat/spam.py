"""So many commands a player in so many seconds: against spam alone, what the game limits is in storage."""

from __future__ import annotations


class SpamLimit:
    """Counts what each player does in windows of time, at a cost that does not grow with the players.

    Args:
        most: So much is let through in a window.
        window_s: How long one lasts, from a player's first act in it, in seconds.
    """

    def __init__(self, most: int, window_s: float) -> None:
        self._most = most
        self._window_s = window_s
        self._begun: dict[int, tuple[float, int]] = {}
        self._swept_s = 0.0

    def wait_s(self, user_id: int, now_s: float) -> float:
        """Count an act; how long its player must wait, 0 where it is let through.

        Args:
            user_id: Whose.
            now_s: The moment, in seconds; one before that of the last act begins anew.
        """
        if not 0 <= now_s - self._swept_s < self._window_s:
            self._sweep(now_s)
        begun_s, count = self._begun.get(user_id, (now_s, 0))
        if not 0 <= now_s - begun_s < self._window_s:
            begun_s, count = now_s, 0
        if count >= self._most:
            return begun_s + self._window_s - now_s
        self._begun[user_id] = begun_s, count + 1
        return 0.0

    def _sweep(self, now_s: float) -> None:
        """Forget whose window is over."""
        self._swept_s = now_s
        self._begun = {
            user_id: found for user_id, found in self._begun.items() if 0 <= now_s - found[0] < self._window_s
        }
