package sensor

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// Sizes and numbers as a C compiler gives them, on 32 and on 64 bits.
func TestV4L2Numbers(t *testing.T) {
	sizes := []uintptr{unsafe.Sizeof(v4l2Capability{}), unsafe.Sizeof(v4l2FormatName{}), unsafe.Sizeof(v4l2Format{}), unsafe.Sizeof(v4l2Request{}), unsafe.Sizeof(v4l2Buffer{})}
	numbers := []uintptr{v4l2QueryCap, v4l2EnumFmt, v4l2SetFmt, v4l2ReqBufs, v4l2QueryBuf, v4l2Queue, v4l2Dequeue, v4l2StreamOn, v4l2StreamOff}
	if unsafe.Sizeof(uintptr(0)) == 8 {
		require.Equal(t, []uintptr{104, 64, 208, 20, 88}, sizes)
		require.Equal(t, []uintptr{0x80685600, 0xc0405602, 0xc0d05605, 0xc0145608, 0xc0585609, 0xc058560f, 0xc0585611, 0x40045612, 0x40045613}, numbers)
	} else {
		require.Equal(t, []uintptr{104, 64, 204, 20, 68}, sizes)
		require.Equal(t, []uintptr{0x80685600, 0xc0405602, 0xc0cc5605, 0xc0145608, 0xc0445609, 0xc044560f, 0xc0445611, 0x40045612, 0x40045613}, numbers)
	}
	var b v4l2Buffer
	var f v4l2Format
	offsets := []uintptr{unsafe.Offsetof(b.at), unsafe.Offsetof(b.sequence), unsafe.Offsetof(b.offset), unsafe.Offsetof(b.length), unsafe.Offsetof(f.pix) + unsafe.Offsetof(f.pix.bytes)}
	if unsafe.Sizeof(uintptr(0)) == 8 {
		require.Equal(t, []uintptr{24, 56, 64, 72, 24}, offsets)
	} else {
		require.Equal(t, []uintptr{20, 44, 52, 56, 20}, offsets)
	}
	require.Equal(t, uint32(0x56595559), fourCC("YUYV"))
}

func TestV4L2OfOtherFiles(t *testing.T) {
	_, err := OpenV4L2(filepath.Join(t.TempDir(), "video0"))
	require.ErrorIs(t, cameraFailure(err), ErrUnplugged)
	_, err = OpenV4L2(os.DevNull)
	if errors.Is(err, syscall.ENOSYS) {
		t.Skip("this emulator does not know the calls of cameras")
	}
	require.ErrorContains(t, err, "inappropriate ioctl for device")
	_, err = V4L2Formats(os.DevNull)
	require.ErrorContains(t, err, "inappropriate ioctl for device")
}
