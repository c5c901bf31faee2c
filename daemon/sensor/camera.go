package sensor

import (
	"errors"
	"fmt"
	"image"
	"strconv"
	"strings"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Bounds of what a camera is asked for.
const (
	minPicture = 20 * time.Millisecond
	maxPicture = time.Hour
	maxGrid    = 16 // rows, and columns
)

func (c *Config) cameraDefaults() {
	if c.Interval == 0 {
		c.Interval = encoder.Duration(time.Second)
	}
	if c.Timeout == 0 {
		c.Timeout = encoder.Duration(5 * time.Second)
	}
	c.streamDefaults()
}

func (c *Config) checkCamera(add func(string, error)) {
	switch {
	case len(c.Command) > 0 && c.Device != "":
		add("device", errors.New("the command says where pictures come from: leave device out, or command"))
	case len(c.Command) > 0:
		c.checkCommand(add)
	case c.Device == "" || len(c.Device) > maxName:
		add("device", errors.New(`required: a file such as "/dev/video0", or the name that the kernel gives the camera; or a command that prints JPEG pictures`))
	}
	_, _, err := parseGrid(c.Grid)
	add("grid", err)
	c.checkStream(add, minPicture, maxPicture)
	add("channels", c.checkReadings(c.cameraReadings()))
}

// parseGrid reads "4x6", rows and columns; none are 0.
func parseGrid(text string) (rows, columns int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	r, c, _ := strings.Cut(text, "x")
	rows, err = strconv.Atoi(r)
	if err == nil {
		columns, err = strconv.Atoi(c)
	}
	if err != nil || rows < 1 || rows > maxGrid || columns < 1 || columns > maxGrid {
		return 0, 0, fmt.Errorf(`%.40q is not rows and columns, 1 to %d each, as in "4x6"`, text, maxGrid)
	}
	return rows, columns, nil
}

// cameraReadings: brightness and the patches, row by row, go from 0 for black to 1
// for white. Motion is the mean change from the picture before.
func (c *Config) cameraReadings() []reading {
	all := []reading{{"brightness", "0 to 1"}, {"motion", "0 to 1"}}
	rows, columns, _ := parseGrid(c.Grid)
	for i := range rows * columns {
		all = append(all, reading{"patch" + strconv.Itoa(i+1), "0 to 1"})
	}
	return all
}

// luma is the brightness of a picture: pixel (x, y) is pix[y·stride + x·step].
type luma struct {
	pix                         []byte
	width, height, stride, step int
}

var errTooSmall = errors.New("the picture is smaller than it says")

func (l *luma) check() error {
	if l.width < 1 || l.height < 1 || l.step < 1 || (l.width-1)*l.step >= l.stride || len(l.pix) <= (l.height-1)*l.stride+(l.width-1)*l.step {
		return errTooSmall
	}
	return nil
}

// lumaOf returns the luma of a decoded picture.
func lumaOf(picture image.Image) (luma, error) {
	size := picture.Bounds().Size()
	switch p := picture.(type) {
	case *image.YCbCr:
		return luma{p.Y, size.X, size.Y, p.YStride, 1}, nil
	case *image.Gray:
		return luma{p.Pix, size.X, size.Y, p.Stride, 1}, nil
	}
	return luma{}, fmt.Errorf("a JPEG in colours that cameras do not use (%T)", picture)
}

// patches writes the mean of each patch of a grid to dst, row by row. A patch
// without pixels, in a picture smaller than the grid, is that of its corner.
func (l *luma) patches(rows, columns int, dst []float64) {
	for r := range rows {
		top, bottom := part(r, rows, l.height)
		for c := range columns {
			left, right := part(c, columns, l.width)
			sum := 0
			for y := top; y < bottom; y++ {
				line := l.pix[y*l.stride:]
				for x := left; x < right; x++ {
					sum += int(line[x*l.step])
				}
			}
			dst[r*columns+c] = float64(sum) / float64(255*(bottom-top)*(right-left))
		}
	}
}

// part is number i of n of a length, at least one long.
func part(i, n, length int) (begin, end int) {
	begin = i * length / n
	return begin, max((i+1)*length/n, begin+1)
}
