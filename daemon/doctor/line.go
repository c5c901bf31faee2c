package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/daemon"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// tryLine asks for a GPIO line and lets it go again.
func (v *visit) tryLine(c *sensor.Config) error {
	if !v.mayTouch() {
		return nil
	}
	err := v.within(func() error {
		l, err := v.Hardware.GPIO(sensor.LineRequest{Name: c.Line, Chip: c.Bus, Bias: c.Bias, ActiveLow: c.ActiveLow})
		if err == nil {
			err = l.Close()
		}
		return err
	})
	switch {
	case err == nil:
		return nil
	case lockOf(err.Error()) == busy:
		by := v.consumer(c.Line)
		if by == "" {
			by = "another program or driver"
		}
		v.add(Problem, fmt.Sprintf("sensor %s: GPIO line %s is used by %s", c.Alias, c.Line, by),
			"a line has one user at a time: stop it, take its overlay out, or use another line", "gpioinfo")
		return nil
	case errors.Is(err, sensor.ErrUnplugged):
		why := "no chip has a line of this name"
		if near := closest(c.Line, v.Hardware.Lines()); len(near) > 0 {
			why += ". Close to it are: " + strings.Join(near, ", ")
		}
		v.add(Problem, fmt.Sprintf("sensor %s: there is no GPIO line %s", c.Alias, c.Line), why, "gpioinfo")
		return nil
	}
	return err
}

// consumer reads from the kernel's list who uses a line, "" when it may not be read.
// Its lines are such as " gpio-529 (GPIO17              |ragedge             ) in  lo".
func (v *visit) consumer(name string) string {
	for line := range strings.Lines(v.text("/sys/kernel/debug/gpio")) {
		_, inside, _ := strings.Cut(line, "(")
		inside, _, _ = strings.Cut(inside, ")")
		line, user, both := strings.Cut(inside, "|")
		if both && strings.TrimSpace(line) == name {
			return strings.TrimSpace(user)
		}
	}
	return ""
}

// closest returns up to three names that are nearly the one that is wanted, whatever
// their case and the signs between.
func closest(want string, names []string) (near []string) {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == ' ' || r == '_' || r == '-' || r == '.' {
				return -1
			}
			return r
		}, strings.ToLower(s))
	}
	best := 3
	for _, name := range names {
		d := daemon.EditDistance(plain(want), plain(name))
		if d < best {
			best, near = d, nil
		}
		if d == best && d < 3 {
			near = append(near, name)
		}
	}
	slices.Sort(near)
	return near[:min(3, len(near))]
}
