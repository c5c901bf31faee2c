package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTopic bounds what a configuration may name; a topic has at most 65535 bytes.
const maxTopic = 200

// CheckTopic says what is wrong with a topic to publish on, or that others are to be
// built on. An empty one is none.
func CheckTopic(topic string) error {
	if strings.ContainsAny(topic, "+#") {
		return errors.New("+ and # are for subscribers")
	}
	if strings.HasPrefix(topic, "$") {
		return errors.New("topics that begin with $ are the broker's own")
	}
	return checkLevels(topic)
}

// CheckFilter says what is wrong with a topic to subscribe to, in which + stands
// for any one level, and # at the end for all that follow.
func CheckFilter(filter string) error {
	if filter == "" {
		return errors.New("required: a topic, as in zigbee2mqtt/hall")
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if strings.ContainsAny(level, "+#") && len(level) > 1 {
			return fmt.Errorf("%q: + and # stand for whole levels", level)
		}
		if level == "#" && i < len(levels)-1 {
			return errors.New("# stands only at the end")
		}
	}
	return checkLevels(filter)
}

func checkLevels(topic string) error {
	switch {
	case len(topic) > maxTopic:
		return fmt.Errorf("longer than %d bytes", maxTopic)
	case !utf8.ValidString(topic) || strings.ContainsFunc(topic, unicode.IsControl):
		return errors.New("not a plain text")
	case strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/") || strings.Contains(topic, "//"):
		return errors.New("a slash at an end, or two in a row, make a level without a name")
	}
	return nil
}

// Match says whether a filter takes a topic in, and what its wildcards stood for,
// joined by dots; empty when it has none.
func Match(filter, topic string) (wild string, ok bool) {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return "", false // a wildcard does not stand for the broker's own topics
	}
	for filter != "" {
		level, restOfFilter, moreFilter := strings.Cut(filter, "/")
		if level == "#" {
			return join(wild, strings.ReplaceAll(topic, "/", ".")), true
		}
		name, restOfTopic, moreTopic := strings.Cut(topic, "/")
		if level == "+" {
			wild = join(wild, name)
		} else if level != name {
			return "", false
		}
		if !moreTopic && restOfFilter == "#" {
			return wild, true // # stands for no level as well
		}
		if moreFilter != moreTopic {
			return "", false
		}
		filter, topic = restOfFilter, restOfTopic
	}
	return wild, true
}

// Overlap says whether a topic may match both filters.
func Overlap(a, b string) bool {
	for {
		x, restA, moreA := strings.Cut(a, "/")
		y, restB, moreB := strings.Cut(b, "/")
		switch {
		case x == "#" || y == "#":
			return true
		case x != y && x != "+" && y != "+":
			return false
		case !moreA || !moreB: // # stands for no level as well
			return moreA == moreB || restA == "#" || restB == "#"
		}
		a, b = restA, restB
	}
}

func join(wild, name string) string {
	if wild == "" {
		return name
	}
	return wild + "." + name
}
