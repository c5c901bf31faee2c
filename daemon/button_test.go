package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// fakeLine is a GPIO line with a button on it.
type fakeLine struct {
	mu     sync.Mutex
	active bool
	edges  uint32
}

func (l *fakeLine) Active() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active, nil
}

func (l *fakeLine) Edges() (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.edges, nil
}

func (l *fakeLine) Close() error { return nil }

// press pushes the button and lets it go.
func (l *fakeLine) press(held time.Duration) {
	for range 2 {
		l.mu.Lock()
		l.active, l.edges = !l.active, l.edges+1
		l.mu.Unlock()
		time.Sleep(held)
	}
}

func buttonSensor(alias, label string) sensor.Config {
	return sensor.Config{Alias: alias, Type: sensor.GPIO, Line: alias, Label: label}
}

// TestButtons: a press says what is true until the next, whether it is short or
// long, and what the API says goes before it.
func TestButtons(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		lines := map[string]*fakeLine{"one": {}, "two": {}}
		c := quiet(buttonSensor("one", "occupied"), buttonSensor("two", "cooking"))
		c.Record = recordTo(dir)
		c.Record.Durable = record.DurableInterval
		require.NoError(t, c.Check())
		d, err := New(c, Environment{Notify: &notes{}, Hardware: sensor.Hardware{
			GPIO: func(r sensor.LineRequest) (sensor.Line, error) { return lines[r.Name], nil },
		}})
		require.NoError(t, err)
		stop := run(t, d)
		minute := func() { time.Sleep(time.Minute); synctest.Wait() }
		minute()                                  // 0: nothing
		lines["one"].press(10 * time.Millisecond) // shorter than the interval
		minute()                                  // 1: occupied
		lines["one"].press(time.Second)
		minute() // 2: nothing
		lines["one"].press(50 * time.Millisecond)
		minute() // 3: occupied
		lines["two"].press(300 * time.Millisecond)
		minute() // 4: cooking
		lines["two"].press(300 * time.Millisecond)
		minute() // 5: nothing
		lines["one"].press(300 * time.Millisecond)
		require.NoError(t, d.Label(t.Context(), &api.Label{Label: "party"}))
		minute() // 6: party
		lines["one"].press(300 * time.Millisecond)
		minute() // 7: occupied
		require.NoError(t, stop())
	})
	seen := replayTape(t, filepath.Join(dir, "*.mcap"), tinyModel(t, twoFeatures))
	var truths []string
	for i := 3; i < seen.len(); i += 6 { // in the middle of each minute
		truths = append(truths, seen.all[i].Truth)
	}
	require.Equal(t, []string{"", "occupied", "", "occupied", "cooking", "", "party", "occupied"}, truths)
}

func TestButtonPresses(t *testing.T) {
	b := &button{level: "l", edges: "e"}
	read := func(level, edges float64) int {
		return b.presses(&sensor.Reading{Samples: []encoder.Sample{{Channel: "l", Value: level}, {Channel: "e", Value: edges}}})
	}
	require.Equal(t, 0, read(1, 0), "held from the beginning")
	require.Equal(t, 0, read(0, 1))
	require.Equal(t, 1, read(1, 1))
	require.Equal(t, 1, read(1, 2), "let go and pressed again")
	require.Equal(t, 2, read(0, 5)+0, "let go, and two more")
	require.Zero(t, b.presses(&sensor.Reading{Err: errRemote}))
	require.Equal(t, 0, read(1, 0), "pressed while the line was away: nobody knows when")
	require.Equal(t, 1, read(1, 2))
}

func TestButtonNeedsARecording(t *testing.T) {
	c := quiet(buttonSensor("one", "occupied"))
	require.Contains(t, strings.Join(c.Warnings(), "\n"), "sensor one: label: nothing is recorded")
	c.Record.When = record.API
	require.NotContains(t, strings.Join(c.Warnings(), "\n"), "nothing is recorded")
	c.Sensors[0].Channels = map[string]string{"level": "x"}
	require.ErrorContains(t, c.Check(), "a button needs both channels")
}

// TestFlightOfASensorThatGoes: what came before a sensor went down is written.
func TestFlightOfASensorThatGoes(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		bus := &fakeBus{raw: 600}
		c := quiet(lightSensor())
		c.Record = record.Config{Directory: dir, Flight: encoder.Duration(2 * time.Minute), FlightOn: []string{record.SensorDown}}
		signal := make(chan os.Signal)
		d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{}, Flight: signal})
		require.NoError(t, err)
		stop := run(t, d)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.EqualValues(t, 0, d.Status().Record.Flights)
		bus.set(func(b *fakeBus) { b.err = errRemote })
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, d.Status().Record.Flights)
		require.ErrorIs(t, d.Flight("again"), api.ErrFull)
		var text strings.Builder
		d.WriteMetrics(&text)
		require.Contains(t, text.String(), "ragedge_recording_flights_total 1")
		time.Sleep(2 * time.Minute)
		signal <- syscall.SIGUSR2
		synctest.Wait()
		require.EqualValues(t, 2, d.Status().Record.Flights)
		require.NoError(t, stop())
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Contains(t, files[0], "-flight.mcap")
	seen := replayTape(t, files[0], tinyModel(t, twoFeatures))
	require.Greater(t, seen.len(), 11)
	lacks, err := Replay(t.Context(), quiet(), Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}}, files[:1], "max")
	require.NoError(t, err)
	require.Contains(t, lacks[0], `recorded by "flight"`)
}
