package daemon

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/stretchr/testify/require"
)

// panicky is a bus on which every transfer panics while bug is true.
type panicky struct {
	fakeBus
	bug atomic.Bool
}

func (b *panicky) Tx(address uint16, w, r []byte) error {
	if b.bug.Load() {
		b.fakeBus.Tx(address, nil, nil) // counts
		panic("index out of range")
	}
	return b.fakeBus.Tx(address, w, r)
}

// TestRow60PanicOfASensor: a sensor whose driver panics is masked with that as the
// reason, is tried again further and further apart, and takes part again when the
// panics end. The others, and the daemon, do not notice.
func TestRow60PanicOfASensor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := &panicky{fakeBus: fakeBus{raw: 600}}, &fakeBus{raw: 300}
		other := lightSensor()
		other.Alias, other.Bus, other.Channels = "roof", "2", map[string]string{"lux": "roof"}
		seen := &results{}
		d, err := New(quiet(lightSensor(), airSensor(), other), Environment{
			Model: tinyModel(t, twoFeatures), Notify: &notes{}, OnResult: seen.add,
			Hardware: sensor.Hardware{I2C: func(name string) (sensor.Bus, error) {
				if name == "1" {
					return bad, nil
				}
				return good, nil
			}},
		})
		require.NoError(t, err)
		stop := run(t, d)
		push := func() {
			require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 1}}}))
		}
		push()
		time.Sleep(tinyTick)
		synctest.Wait()
		require.True(t, part(seen.last(t), "light").Present)

		bad.bug.Store(true)
		before, others := bad.count(), d.Status().Sensors[2].Reads
		const minutes = 10
		for range minutes * 6 {
			push()
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		r := seen.last(t)
		require.Equal(t, "bright", r.Label)
		require.True(t, part(r, "air").Present)
		require.Contains(t, part(r, "light").Reason, "driver bh1750 panicked: index out of range")
		s := d.Status()
		require.Equal(t, api.StateDown, s.Sensors[0].State)
		tries := bad.count() - before
		require.EqualValues(t, tries, s.Sensors[0].Errors, "each is counted")
		require.Greater(t, tries, minutes)
		require.Less(t, tries, 2*minutes+10, "with a back-off up to a minute")
		require.EqualValues(t, minutes*60, s.Sensors[2].Reads-others, "one reading a second, as ever")
		require.NoError(t, d.Live())

		bad.bug.Store(false)
		for range 12 {
			push()
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		require.True(t, part(seen.last(t), "light").Present)
		require.Equal(t, api.StateUp, d.Status().State)
		require.NoError(t, stop())
	})
}
