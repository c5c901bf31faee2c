package mqtt

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"z/hall", "z/hall", true},
		{"z/hall", "z/door", false},
		{"z/hall", "z/hall/battery", false},
		{"z/+", "z/hall", true},
		{"z/+", "z/hall/battery", false},
		{"z/+", "+/hall", true},
		{"z/+/battery", "+/hall", false},
		{"#", "z/hall", true},
		{"z/#", "z", true},
		{"z/#", "z/hall/battery", true},
		{"z/#", "+/hall/+", true},
		{"z/#", "y/#", false},
		{"z/+", "z/#", true},
	} {
		require.Equal(t, c.want, Overlap(c.a, c.b), "%s %s", c.a, c.b)
		require.Equal(t, c.want, Overlap(c.b, c.a), "%s %s", c.b, c.a)
	}
}
