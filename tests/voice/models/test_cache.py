from __future__ import annotations

from voice.models import cache


def test_the_cache_is_where_the_platform_has_caches(monkeypatch, tmp_path):
    monkeypatch.delenv("VOICE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache.home() == tmp_path / "voice"
