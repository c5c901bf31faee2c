//go:build !linux

package daemon

import "time"

// Boards run Linux. Elsewhere the daemon is for trying things out: its timeline
// starts at 0, and nothing vouches for the wall clock.

func sinceBoot() time.Duration { return 0 }

func timeQuality() string { return "unsynced" }
