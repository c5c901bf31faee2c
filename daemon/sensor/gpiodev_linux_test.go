package sensor

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// The sizes and numbers of linux/gpio.h and linux/spi/spidev.h, which must come out
// the same on 32 bits.
func TestKernelStructs(t *testing.T) {
	require.EqualValues(t, 68, unsafe.Sizeof(chipInfo{}))
	require.EqualValues(t, 256, unsafe.Sizeof(lineInfo{}))
	require.EqualValues(t, 272, unsafe.Sizeof(lineConfig{}))
	require.EqualValues(t, 592, unsafe.Sizeof(lineRequest{}))
	require.EqualValues(t, 588, unsafe.Offsetof(lineRequest{}.fd))
	require.EqualValues(t, 16, unsafe.Sizeof(lineValues{}))
	require.EqualValues(t, 32, unsafe.Sizeof(spiTransfer{}))
	require.Equal(t, uintptr(0x8044b401), ioctlNumber[chipInfo](ioctlRead, gpioMagic, 1))
	require.Equal(t, uintptr(0xc100b405), ioctlNumber[lineInfo](ioctlRead|ioctlWrite, gpioMagic, 5))
	require.Equal(t, uintptr(0xc250b407), ioctlNumber[lineRequest](ioctlRead|ioctlWrite, gpioMagic, 7))
	require.Equal(t, uintptr(0xc010b40e), ioctlNumber[lineValues](ioctlRead|ioctlWrite, gpioMagic, 14))
	require.Equal(t, uintptr(0x40206b00), ioctlNumber[spiTransfer](ioctlWrite, 'k', 0))
	require.Equal(t, uintptr(0x40016b01), ioctlNumber[uint8](ioctlWrite, 'k', 1))
}

func TestLineFlags(t *testing.T) {
	require.EqualValues(t, 0x34, lineFlags(&LineRequest{}))
	require.EqualValues(t, 0x136, lineFlags(&LineRequest{ActiveLow: true, Bias: PullUp}))
	require.EqualValues(t, 0x234, lineFlags(&LineRequest{Bias: PullDown}))
	require.EqualValues(t, 0x434, lineFlags(&LineRequest{Bias: PullNone}))
}

// events writes what the kernel would for changes number from to to.
func events(from, to uint32) (all []byte) {
	for n := from; n <= to; n++ {
		var e [lineEvent]byte
		binary.NativeEndian.PutUint32(e[16:], n+100) // of all lines
		binary.NativeEndian.PutUint32(e[lineSequence:], n)
		all = append(all, e[:]...)
	}
	return all
}

func TestEdgesAreNumbered(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	l := &line{file: r}
	defer l.Close()
	for _, step := range []struct{ from, to uint32 }{{1, 1}, {2, 17}, {990, 1005}, {1006, 1045}} {
		_, err := w.Write(events(step.from, step.to))
		require.NoError(t, err)
		edges, err := l.Edges()
		require.NoError(t, err)
		require.Equal(t, max(step.to, l.edges), edges, "events that the kernel dropped still count")
		require.Equal(t, step.to, edges)
	}
}

func TestNoSuchDevices(t *testing.T) {
	_, err := OpenSPIDevice("250.9", 1)
	require.ErrorIs(t, err, os.ErrNotExist)
	if chips, _ := filepath.Glob("/dev/gpiochip*"); len(chips) == 0 {
		_, err := OpenGPIO(LineRequest{Name: "GPIO17"})
		require.ErrorIs(t, err, ErrUnplugged)
	}
}
