package bench

import "fmt"

// micro writes microseconds in the unit that fits.
func micro(us float64) string {
	switch {
	case us < 0.9995: // what would be rounded to 1000
		return significant(1e3*us) + " ns"
	case us < 999.5:
		return significant(us) + " µs"
	}
	return significant(us/1e3) + " ms"
}

// significant writes three digits, and whole numbers from 100 on.
func significant(v float64) string {
	switch {
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v)
	case v >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// count writes a large number with two digits.
func count(v float64) string {
	switch {
	case v >= 1e6:
		return significant(v/1e6) + " million"
	case v >= 1e4:
		return fmt.Sprintf("%.0f thousand", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}

func size(bytes int) string {
	if bytes >= 1<<20 && bytes%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
