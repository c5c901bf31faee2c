package sensor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxAttribute is more than a file of sysfs holds that says one thing.
const maxAttribute = 256

// readText reads a file of sysfs that says one thing.
func readText(sysfs fs.FS, name string) (string, error) {
	f, err := sysfs.Open(name)
	if err != nil {
		return "", sysfsFailure(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxAttribute+1))
	if err != nil {
		return "", sysfsFailure(err)
	}
	if len(data) > maxAttribute {
		return "", fmt.Errorf("%s: longer than %d bytes", name, maxAttribute)
	}
	return strings.TrimSpace(string(data)), nil
}

// readNumber reads a file of sysfs that holds a number.
func readNumber(sysfs fs.FS, name string) (float64, error) {
	text, err := readText(sysfs, name)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %.40q is not a number", name, text)
	}
	return v, nil
}

// sysfsFailure tells a device that is gone from one that failed once.
func sysfsFailure(err error) error {
	if errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(err.Error(), "no such device") {
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	}
	return err
}

// findDevice returns the one directory of a class, such as class/hwmon, whose file
// named key says name. bus, if any, is the last element of the device that its
// link "device" leads to, and tells devices of the same name apart.
func findDevice(sysfs fs.FS, class, key, name, bus string) (string, error) {
	entries, err := fs.ReadDir(sysfs, class)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var found, known []string
	for _, e := range entries {
		dir := path.Join(class, e.Name())
		text, err := readText(sysfs, path.Join(dir, key))
		if err != nil {
			continue
		}
		known = append(known, text)
		if text == name && (bus == "" || bus == deviceOf(sysfs, dir)) {
			found = append(found, dir)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		slices.Sort(known)
		return "", fmt.Errorf("%w: nothing in /sys/%s is called %s%s, only: %s", ErrUnplugged, class, name, onBusText(bus), strings.Join(slices.Compact(known), ", "))
	}
	var devices []string
	for _, dir := range found {
		devices = append(devices, deviceOf(sysfs, dir))
	}
	return "", fmt.Errorf("%d devices in /sys/%s are called %s: set bus to one of %s", len(found), class, name, strings.Join(devices, ", "))
}

func onBusText(bus string) string {
	if bus == "" {
		return ""
	}
	return " on " + bus
}

// deviceOf names the device that an entry of a class belongs to, such as 1-0048.
func deviceOf(sysfs fs.FS, dir string) string {
	to, err := fs.ReadLink(sysfs, path.Join(dir, "device"))
	if err != nil {
		return ""
	}
	return path.Base(to)
}
