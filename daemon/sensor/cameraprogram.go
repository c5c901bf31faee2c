package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// CameraDevice is a device of V4L2 that delivers pictures.
type CameraDevice interface {
	// Picture waits for the next one, which is valid until the call after.
	// ErrTimeout says that none came in this time.
	Picture(wait time.Duration) (Picture, error)
	Close() error
}

// Picture is one as a camera delivers it: a JPEG, or else only its brightness.
type Picture struct {
	JPEG []byte
	luma luma
}

// OpenCamera opens the device at a path and lets it run.
type OpenCamera func(path string) (CameraDevice, error)

// pictures reads the pictures that the command prints, to their end.
func (p *Program) pictures(ctx context.Context, from io.Reader, silent *time.Timer, deliver func(Reading)) (good bool, err error) {
	stream, eye := newJPEGStream(from), newSight(&p.config)
	for ctx.Err() == nil {
		data, err := stream.next()
		switch {
		case err == nil:
			silent.Reset(p.config.Timeout.Std())
		case !errors.Is(err, errCorrupt):
			return good, nil
		}
		if !eye.wants(p.now()) {
			p.skipped.Add(1)
			continue
		}
		if err == nil {
			err = eye.see(Picture{JPEG: data}, p.values)
		}
		if good, err = p.outcome(good, err, deliver); err != nil {
			return good, err
		}
	}
	return good, nil
}

// glance bounds a wait for a picture, so that the end of the run is noticed.
const glance = 100 * time.Millisecond

// watch reads the camera until it fails.
func (p *Program) watch(ctx context.Context, deliver func(Reading)) (good bool, err error) {
	file, err := findCamera(p.hardware.Sysfs, p.config.Device)
	if err != nil {
		return false, err
	}
	camera, err := p.hardware.Camera(file)
	if err != nil {
		return false, cameraFailure(err)
	}
	defer camera.Close()
	eye, last, timeout := newSight(&p.config), p.now(), p.config.Timeout.Std()
	for ctx.Err() == nil {
		picture, err := camera.Picture(min(glance, timeout))
		at := p.now()
		switch {
		case err == nil:
			last = at
		case !errors.Is(err, ErrTimeout):
			return good, cameraFailure(err)
		case at-last >= timeout:
			return good, fmt.Errorf("%w: no picture in %v", ErrTimeout, timeout)
		default:
			continue
		}
		if !eye.wants(at) {
			p.skipped.Add(1)
			continue
		}
		if good, err = p.outcome(good, eye.see(picture, p.values), deliver); err != nil {
			return good, err
		}
	}
	return good, nil
}

// cameraClass has the devices of V4L2.
const cameraClass = "class/video4linux"

// findCamera returns the file of a device that is given by its file, or by the
// name that the kernel gives it.
func findCamera(sysfs fs.FS, device string) (string, error) {
	if strings.HasPrefix(device, "/") {
		return device, nil
	}
	var found, known []string
	for _, dir := range devices(sysfs, cameraClass) {
		name, err := readText(sysfs, path.Join(dir, "name"))
		if err != nil || !firstNode(sysfs, dir) {
			continue
		}
		known = append(known, name)
		if name == device {
			found = append(found, "/dev/"+path.Base(dir))
		}
	}
	slices.Sort(known)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%w: no camera is called %s, only: %s", ErrUnplugged, device, strings.Join(slices.Compact(known), ", "))
	}
	return "", fmt.Errorf("%d cameras are called %s: set device to one of %s, or better to its link in /dev/v4l/by-path", len(found), device, strings.Join(found, ", "))
}

// firstNode leaves out the further nodes of a camera, which deliver no pictures.
func firstNode(sysfs fs.FS, dir string) bool {
	index, err := readText(sysfs, path.Join(dir, "index"))
	return err != nil || index == "0"
}

func cameraFailure(err error) error {
	switch text := err.Error(); {
	case strings.HasSuffix(text, "device or resource busy"):
		return fmt.Errorf("%w: another program has the camera: fuser -v /dev/video* says which", err)
	case strings.HasSuffix(text, "permission denied"):
		return fmt.Errorf("%w: add this user to the group of /dev/video*", err)
	case strings.HasSuffix(text, "operation not permitted"):
		return fmt.Errorf("%w: allow char-video4linux with DeviceAllow= in the unit", err)
	case strings.HasSuffix(text, "no such device"), strings.HasSuffix(text, "no such file or directory"), strings.HasSuffix(text, "no such device or address"):
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}
