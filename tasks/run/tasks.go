package main

// tasks are all there are, in the order of tasks/README.md.
var tasks = []task{
	{
		name: "room-day", short: true, file: "tasks/room/day.toml", against: "empty", folds: roomDay,
		goals: []goal{{"accuracy", 94.5, 94.5}, {"macro-F1", 93, 93}, {"empty or not", 99.9, 99.5}, {"without light", 0, 40}},
	},
	{
		name: "room-demo", file: "tasks/room/demo.toml", against: "empty", folds: roomDemo,
		goals: []goal{{"accuracy", 96, 90}, {"without light", 73, 60}},
	},
	{
		name: "room-folds", file: "tasks/room/folds.toml", against: "empty", folds: roomFolds,
		goals: []goal{
			{"accuracy", 99.85, 99}, {"macro-F1", 99.5, 98}, {"without light", 94, 90},
			{"without climate", 99, 0}, {"without co2", 99, 0}, {"without motion", 99, 0}, {"without sound", 99, 0},
		},
	},
	{
		name: "occupancy", short: true, file: "tasks/occupancy/occupancy.toml", folds: occupancy,
		goals: []goal{{"accuracy", 97.9, 97}, {"without light", 85.3, 80}},
	},
	{
		name: "watch", file: "tasks/watch/people.toml", folds: watchPeople,
		goals: []goal{{"accuracy", 89, 0}},
	},
	{
		name: "watch-long", file: "tasks/watch/long.toml", folds: watchLong,
		goals: []goal{{"accuracy", 89, 0}},
	},
	{
		name: "watch-temporal", file: "tasks/watch/temporal.toml", folds: watchTemporal,
		goals: []goal{{"accuracy", 99, 0}},
	},
	{
		name: "sortofclevr", short: true, file: "tasks/sortofclevr/state.toml", folds: scenes, tests: []string{"relational", "plain"},
		goals: []goal{{"relational", 97, 70}, {"plain", 99.5, 90}},
	},
}
