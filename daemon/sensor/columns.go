package sensor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// columns says which columns of a recording hold what.
type columns struct {
	names    []string // of the header
	time     []int
	label    int // meaningful with Config.Label
	values   []int
	channels []string // of values
}

// find fills in c from the header. An error comes with the column it is about,
// if there is one.
func (c *columns) find(header []string, config *Config) (column string, err error) {
	c.names = header
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return name, errors.New("named twice in the header")
		}
	}
	for _, name := range config.Time {
		i, err := c.index("time", name)
		if err != nil {
			return name, err
		}
		c.time = append(c.time, i)
	}
	if config.Label != "" {
		if c.label, err = c.index("label", config.Label); err != nil {
			return config.Label, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(config.Channels)) {
		if _, err := c.index("channels", name); err != nil {
			return name, err
		}
	}
	return c.findValues(config)
}

func (c *columns) index(key, name string) (int, error) {
	i := slices.Index(c.names, name)
	if i < 0 {
		return 0, fmt.Errorf("not in the header, but named by the key %s; the file has %.400s", key, strings.Join(c.names, ", "))
	}
	return i, nil
}

// findValues takes the selected columns in the file's order or, if none is
// selected, all that are neither time nor label.
func (c *columns) findValues(config *Config) (column string, err error) {
	for i, name := range c.names {
		channel, selected := config.Channels[name]
		other := slices.Contains(config.Time, name) || config.Label != "" && name == config.Label
		if len(config.Channels) == 0 && !other {
			if err := checkChannel(name); err != nil {
				return fmt.Sprint(i + 1), err
			}
			channel, selected = name, true
		}
		if selected {
			c.values = append(c.values, i)
			c.channels = append(c.channels, channel)
		}
	}
	if len(c.values) == 0 {
		return "", errors.New("no column is left for a channel")
	}
	return "", nil
}
