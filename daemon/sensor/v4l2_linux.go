package sensor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Structs of linux/videodev2.h, whose sizes differ between 32 and 64 bits.
type (
	v4l2Capability struct {
		driver    [16]byte
		card, bus [32]byte
		version   uint32
		whole     uint32 // capabilities of all nodes of the device
		node      uint32 // and those of this one
		_         [3]uint32
	}
	v4l2FormatName struct {
		index, kind, flags uint32
		description        [32]byte
		format             uint32
		_                  [4]uint32
	}
	v4l2Format struct {
		kind uint32
		pix  struct {
			_                                   [0]uintptr // the C union holds pointers
			width, height, format, field, bytes uint32     // bytes per line
			_                                   [180]byte
		}
	}
	v4l2Request struct{ count, kind, memory, _, _ uint32 }
	v4l2Buffer  struct {
		index, kind, used, flags, field uint32
		at                              unix.Timeval
		_                               [4]uint32 // a time code
		sequence, memory                uint32
		offset                          uintptr // a C union
		length                          uint32
		_                               [2]uint32
	}
)

const (
	v4l2Magic = 'V'

	v4l2Capture = 1 // a buffer type
	v4l2Mapped  = 1 // a kind of memory

	v4l2CanCapture = 0x00000001
	v4l2CanStream  = 0x04000000
	v4l2PerNode    = 0x80000000

	v4l2Broken = 0x40 // flag of a buffer: its data may be damaged

	v4l2Buffers = 4
)

// Numbers of the ioctls.
var (
	v4l2QueryCap  = ioctlNumber[v4l2Capability](ioctlRead, v4l2Magic, 0)
	v4l2EnumFmt   = ioctlNumber[v4l2FormatName](ioctlRead|ioctlWrite, v4l2Magic, 2)
	v4l2SetFmt    = ioctlNumber[v4l2Format](ioctlRead|ioctlWrite, v4l2Magic, 5)
	v4l2ReqBufs   = ioctlNumber[v4l2Request](ioctlRead|ioctlWrite, v4l2Magic, 8)
	v4l2QueryBuf  = ioctlNumber[v4l2Buffer](ioctlRead|ioctlWrite, v4l2Magic, 9)
	v4l2Queue     = ioctlNumber[v4l2Buffer](ioctlRead|ioctlWrite, v4l2Magic, 15)
	v4l2Dequeue   = ioctlNumber[v4l2Buffer](ioctlRead|ioctlWrite, v4l2Magic, 17)
	v4l2StreamOn  = ioctlNumber[int32](ioctlWrite, v4l2Magic, 18)
	v4l2StreamOff = ioctlNumber[int32](ioctlWrite, v4l2Magic, 19)
)

// Formats that can be read, the best first: those without decoding. Each is the
// four letters of its name and how far apart the brightness of two pixels is.
var v4l2Formats = []struct {
	name string
	step int // 0: a JPEG
}{
	{"GREY", 1}, {"YUYV", 2}, {"NV12", 1}, {"YU12", 1}, {"MJPG", 0}, {"JPEG", 0},
}

func fourCC(name string) uint32 {
	return uint32(name[0]) | uint32(name[1])<<8 | uint32(name[2])<<16 | uint32(name[3])<<24
}

// What is asked for; the driver gives what is nearest.
const (
	v4l2Width  = 320
	v4l2Height = 240
)

// v4l2 is a camera that runs.
type v4l2 struct {
	file    *os.File
	format  v4l2Format
	step    int
	buffers [][]byte
	buffer  v4l2Buffer
	held    bool // buffer is ours
	poll    [1]unix.PollFd
}

// openNode opens a device without telling the runtime's poller of it: to be polled
// before it has buffers makes a driver begin its other way of reading, which then
// has the device busy.
func openNode(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// V4L2Formats says in which of the formats that can be read a device has pictures.
func V4L2Formats(path string) ([]string, error) {
	f, err := openNode(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return v4l2FormatsOf(f)
}

func v4l2FormatsOf(f *os.File) (names []string, err error) {
	info := new(v4l2Capability)
	if err := ioctl(f, v4l2QueryCap, unsafe.Pointer(info)); err != nil {
		return nil, err
	}
	can := info.whole
	if can&v4l2PerNode != 0 {
		can = info.node
	}
	if can&v4l2CanCapture == 0 || can&v4l2CanStream == 0 {
		return nil, nil
	}
	const most = 64
	for i := range uint32(most) {
		entry := &v4l2FormatName{index: i, kind: v4l2Capture}
		if err := ioctl(f, v4l2EnumFmt, unsafe.Pointer(entry)); err != nil {
			break // the end of the list
		}
		for _, known := range v4l2Formats {
			if entry.format == fourCC(known.name) {
				names = append(names, known.name)
			}
		}
	}
	return names, nil
}

// OpenV4L2 opens the camera at a path, such as /dev/video0, asks it for small
// pictures in the format that needs the least work, and lets it run.
func OpenV4L2(path string) (CameraDevice, error) {
	f, err := openNode(path)
	if err != nil {
		return nil, err
	}
	c := &v4l2{file: f}
	if err := c.start(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *v4l2) call(number uintptr, argument unsafe.Pointer) error {
	return ioctl(c.file, number, argument)
}

func (c *v4l2) start() error {
	if err := c.agree(); err != nil {
		return err
	}
	request := &v4l2Request{count: v4l2Buffers, kind: v4l2Capture, memory: v4l2Mapped}
	if err := c.call(v4l2ReqBufs, unsafe.Pointer(request)); err != nil {
		return err
	}
	for i := range min(request.count, 32) {
		c.buffer = v4l2Buffer{index: i, kind: v4l2Capture, memory: v4l2Mapped}
		if err := c.call(v4l2QueryBuf, unsafe.Pointer(&c.buffer)); err != nil {
			return err
		}
		data, err := unix.Mmap(int(c.file.Fd()), int64(uint32(c.buffer.offset)), int(c.buffer.length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return os.NewSyscallError("mmap", err)
		}
		c.buffers = append(c.buffers, data)
		if err := c.call(v4l2Queue, unsafe.Pointer(&c.buffer)); err != nil {
			return err
		}
	}
	kind := new(int32)
	*kind = v4l2Capture
	return c.call(v4l2StreamOn, unsafe.Pointer(kind))
}

// agree chooses the format.
func (c *v4l2) agree() error {
	names, err := v4l2FormatsOf(c.file)
	if err != nil {
		return err
	}
	for _, known := range v4l2Formats {
		if !slices.Contains(names, known.name) {
			continue
		}
		c.format = v4l2Format{kind: v4l2Capture}
		pix := &c.format.pix
		pix.width, pix.height, pix.format, pix.field = v4l2Width, v4l2Height, fourCC(known.name), 1
		if err := c.call(v4l2SetFmt, unsafe.Pointer(&c.format)); err != nil {
			return err
		}
		if pix.format != fourCC(known.name) {
			continue // the driver has changed its mind
		}
		if int64(pix.width)*int64(pix.height) > maxPixels {
			return fmt.Errorf("%s: pictures of %d × %d pixels: 1920 × 1080 are the most", c.file.Name(), pix.width, pix.height)
		}
		c.step = known.step
		return nil
	}
	return fmt.Errorf("%s has no pictures in a format that can be read: use command with a program that prints JPEG pictures", c.file.Name())
}

// Picture gives the buffer of the picture before back to the driver.
func (c *v4l2) Picture(wait time.Duration) (Picture, error) {
	if c.held {
		c.held = false
		if err := c.call(v4l2Queue, unsafe.Pointer(&c.buffer)); err != nil {
			return Picture{}, err
		}
	}
	if err := c.wait(wait); err != nil {
		return Picture{}, err
	}
	c.buffer = v4l2Buffer{kind: v4l2Capture, memory: v4l2Mapped}
	if err := c.call(v4l2Dequeue, unsafe.Pointer(&c.buffer)); err != nil {
		return Picture{}, err
	}
	c.held = true
	if int(c.buffer.index) >= len(c.buffers) {
		return Picture{}, fmt.Errorf("%s: the driver speaks of a buffer %d, which it does not have", c.file.Name(), c.buffer.index)
	}
	data := c.buffers[c.buffer.index]
	data = data[:min(int(c.buffer.used), len(data))]
	if c.buffer.flags&v4l2Broken != 0 {
		data = nil // a picture of nothing, which its reader refuses
	}
	pix := &c.format.pix
	if c.step == 0 {
		if data == nil {
			data = []byte{}
		}
		return Picture{JPEG: data}, nil
	}
	return Picture{luma: luma{data, int(pix.width), int(pix.height), int(pix.bytes), c.step}}, nil
}

// wait waits until there is a picture. The device is gone when the kernel says so.
func (c *v4l2) wait(most time.Duration) error {
	c.poll[0] = unix.PollFd{Fd: int32(c.file.Fd()), Events: unix.POLLIN}
	n, err := unix.Poll(c.poll[:], max(int(most/time.Millisecond), 1))
	switch {
	case errors.Is(err, unix.EINTR) || err == nil && n == 0:
		return ErrTimeout
	case err != nil:
		return os.NewSyscallError("poll", err)
	case c.poll[0].Revents&unix.POLLIN == 0:
		return fmt.Errorf("%w: %s hung up", ErrUnplugged, c.file.Name())
	}
	return nil
}

// Close stops the camera and lets go of it, whatever state it is in.
func (c *v4l2) Close() error {
	kind := new(int32)
	*kind = v4l2Capture
	c.call(v4l2StreamOff, unsafe.Pointer(kind)) // closing does it too
	for _, data := range c.buffers {
		unix.Munmap(data)
	}
	c.buffers = nil
	return c.file.Close()
}
