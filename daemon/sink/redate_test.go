package sink

import (
	"encoding/json"
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
