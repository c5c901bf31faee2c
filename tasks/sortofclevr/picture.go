package main

import (
	"image"
	"image/color"
)

var (
	white = color.NRGBA{255, 255, 255, 255}
	paint = [objects]color.NRGBA{
		{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 156, 0, 255}, {128, 128, 128, 255}, {255, 255, 0, 255},
	}
)

// picture draws a scene, later objects on top.
func (s *scene) picture() *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			p.SetNRGBA(x, y, s.at(x, y))
		}
	}
	return p
}

// at is the colour of a pixel.
func (s *scene) at(x, y int) color.NRGBA {
	for i := objects - 1; i >= 0; i-- {
		if s[i].covers(x, y) {
			return paint[i]
		}
	}
	return white
}

func (o object) covers(x, y int) bool {
	dx, dy := x-o.x, y-o.y
	if o.circle {
		return dx*dx+dy*dy <= radius*radius
	}
	return max(dx, -dx) <= radius && max(dy, -dy) <= radius
}
