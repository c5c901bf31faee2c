package mqtt

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackoff(t *testing.T) {
	b := Backoff{Least: time.Second, Most: time.Minute}
	for _, most := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		wait := b.After(time.Millisecond)
		require.LessOrEqual(t, wait, most*time.Second)
		require.Greater(t, wait, most*time.Second/2)
	}
	require.LessOrEqual(t, b.After(time.Hour), time.Second, "after a connection that held")
	require.Greater(t, b.After(time.Minute), time.Second, "but not after one that did not")
	apart := map[time.Duration]bool{}
	for range 100 {
		b := Backoff{Least: time.Minute, Most: time.Minute}
		apart[b.After(0)] = true
	}
	require.Greater(t, len(apart), 50, "boards do not come back together")
}
