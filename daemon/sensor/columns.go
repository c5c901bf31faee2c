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
	label    int // meaningful with Config.Label, and so the others
	group    int
	split    int
	target   int
	where    map[int]string // columns and the text that a row must have there
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
	for _, k := range []struct {
		key, name string
		index     *int
	}{{"label", config.Label, &c.label}, {"group", config.Group, &c.group}, {"split", config.Split, &c.split}, {"target", config.Target, &c.target}} {
		if k.name == "" {
			continue
		}
		if *k.index, err = c.index(k.key, k.name); err != nil {
			return k.name, err
		}
	}
	c.where = map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(config.Where)) {
		i, err := c.index("where", name)
		if err != nil {
			return name, err
		}
		c.where[i] = config.Where[name]
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

// wants says whether a row counts.
func (c *columns) wants(cells []string) bool {
	for i, text := range c.where {
		if strings.TrimSpace(cells[i]) != text {
			return false
		}
	}
	return true
}

// findValues takes the selected columns in the file's order or, if none is
// selected, all that no other key names.
func (c *columns) findValues(config *Config) (column string, err error) {
	others := append(slices.Clone(config.Time), config.Label, config.Group, config.Split, config.Target)
	others = slices.AppendSeq(others, maps.Keys(config.Where))
	for i, name := range c.names {
		channel, selected := config.Channels[name]
		other := name != "" && slices.Contains(others, name)
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
