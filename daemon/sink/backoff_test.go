package sink

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackoff(t *testing.T) {
	b := backoff{least: time.Second, most: time.Minute}
	for _, most := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		wait := b.after(time.Millisecond)
		require.LessOrEqual(t, wait, most*time.Second)
		require.Greater(t, wait, most*time.Second/2)
	}
	require.LessOrEqual(t, b.after(time.Hour), time.Second, "after a connection that held")
	require.Greater(t, b.after(time.Minute), time.Second, "but not after one that did not")
	apart := map[time.Duration]bool{}
	for range 100 {
		b := backoff{least: time.Minute, most: time.Minute}
		apart[b.after(0)] = true
	}
	require.Greater(t, len(apart), 50, "boards do not come back together")
}
