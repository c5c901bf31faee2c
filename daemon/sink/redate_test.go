package sink

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// Row 43 of the fault list, no RTC: what waited for a broker while the clock said 1970
// goes out with the time the clock would have shown, on both topics.
func TestRow43MQTTDatesWhatWaited(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, reset)
	m, _ := startMQTT(t, p.address, Config{Queue: 8}, quick)
	eventually(t, "the first failure", func() bool { return m.LastError() != nil })
	var clock result.Clock
	for seq := uint64(1); seq <= 3; seq++ {
		r := labelled(seq, "empty")
		r.Mono, r.Quality, r.Clock = time.Duration(seq)*time.Minute, result.Unsynced, &clock
		r.Time = time.Unix(0, int64(r.Mono))
		m.Offer(r)
	}
	boot := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	clock.Set(boot)
	p.set(pass)
	eventually(t, "everything", func() bool { return m.Len() == 0 && b.retained(stateTopic) != "" })
	finish(t, m, b)

	all := append(b.payloads(lateTopic), b.payloads(stateTopic)...)
	require.Len(t, all, 3)
	for i, payload := range all {
		var r result.Result
		require.NoError(t, json.Unmarshal([]byte(payload), &r))
		require.Equal(t, result.Backfilled, r.Quality)
		require.True(t, boot.Add(time.Duration(i+1)*time.Minute).Equal(r.Time), r.Time)
	}
}

// The newest Result that goes ahead of those on disk has the right time as well.
func TestMQTTDatesWhatGoesAhead(t *testing.T) {
	b := startBroker(t, nil, nil)
	p := startProxy(t, b.address, reset)
	m, _ := startMQTT(t, p.address, Config{Queue: 8, Spill: filepath.Join(t.TempDir(), "spill")}, quick)
	var clock result.Clock
	for seq := uint64(1); seq <= 3; seq++ {
		r := labelled(seq, fmt.Sprint(seq))
		r.Mono, r.Quality, r.Clock = time.Duration(seq)*time.Minute, result.Unsynced, &clock
		r.Time = time.Unix(0, int64(r.Mono))
		m.Offer(r)
	}
	eventually(t, "on disk, all but the newest", func() bool { return m.Spilled() == 2 })
	clock.Set(time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC))
	p.set(pass)
	eventually(t, "everything", func() bool { return m.Len() == 0 && m.Written() == 3 })
	finish(t, m, b)

	all := b.payloads(stateTopic)
	require.NotEmpty(t, all)
	for _, payload := range all {
		require.Contains(t, payload, `"time":"2026-11-27T09:03:00.000Z","time_quality":"backfilled"`)
	}
}
