package sensor

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/encoder"
)

// fakeLine is a line that a test moves.
type fakeLine struct {
	active  bool
	edges   uint32
	err     error
	request LineRequest
	closed  int
}

func (l *fakeLine) open(r LineRequest) (Line, error) { l.request = r; return l, nil }
func (l *fakeLine) Active() (bool, error)            { return l.active, l.err }
func (l *fakeLine) Edges() (uint32, error)           { return l.edges, l.err }
func (l *fakeLine) Close() error                     { l.closed++; return nil }

func TestGPIO(t *testing.T) {
	l := &fakeLine{}
	c := Config{Type: GPIO, Line: "GPIO17", Bus: "pinctrl-bcm2711", Bias: PullUp, ActiveLow: true, Debounce: encoder.Duration(5 * time.Millisecond)}
	s := onMachine(t, c, Hardware{GPIO: l.open})
	settle, err := s.call()
	require.NoError(t, err)
	require.Equal(t, 5*time.Millisecond, settle)
	require.Equal(t, LineRequest{Name: "GPIO17", Chip: "pinctrl-bcm2711", Bias: PullUp, ActiveLow: true, Debounce: 5 * time.Millisecond}, l.request)
	require.Equal(t, 100*time.Millisecond, s.config.Interval.Std(), "the default interval of a line")
	s.configured = true
	for _, step := range []struct {
		active bool
		edges  uint32
		want   []float64
	}{{false, 0, []float64{0, 0}}, {true, 1, []float64{1, 1}}, {true, 1, []float64{1, 0}}, {false, 1002, []float64{0, 1001}}} {
		l.active, l.edges = step.active, step.edges
		_, err := s.call()
		require.NoError(t, err)
		require.Equal(t, step.want, s.values)
	}
	s.device.(*lineSensor).edges = 1<<32 - 2
	l.edges = 3
	_, err = s.call()
	require.NoError(t, err)
	require.Equal(t, 5., s.values[1], "the count of the kernel wraps")
}

func TestGPIOFailures(t *testing.T) {
	l := &fakeLine{}
	s := onMachine(t, Config{Type: GPIO, Line: "GPIO17"}, Hardware{GPIO: l.open})
	require.NoError(t, measure(s))
	for errno, want := range map[error]string{
		syscall.ENODEV:                 "unplugged",
		syscall.EPERM:                  "allow char-gpiochip with DeviceAllow=",
		syscall.EACCES:                 "add this user to the group",
		syscall.EBUSY:                  "holds this line: see gpioinfo",
		errors.New("hardware is sick"): "hardware is sick",
	} {
		l.err = errno
		require.ErrorContains(t, measure(s), want)
	}
	require.Equal(t, 5, l.closed, "each failure opens the line anew")

	none := onMachine(t, Config{Type: GPIO, Line: "GPIO17"}, Hardware{GPIO: func(LineRequest) (Line, error) { return nil, syscall.EBUSY }})
	require.ErrorIs(t, measure(none), syscall.EBUSY)
	none.device.close()
}
