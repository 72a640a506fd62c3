"""The thinnest path: a flow is drawn, deployed, started, and runs."""

from tests.world import World


async def test_a_filter_and_map_run(server: World) -> None:
    flow = await server.flow(
        {
            "microservice": "filter",
            "config": {"where": {"field": "status", "operator": "equals", "value": "paid"}},
        },
        {"microservice": "map", "config": {"rules": [{"target": "sku", "source": "item"}]}},
    )
    run = await flow.run([{"status": "paid", "item": "a"}, {"status": "open", "item": "b"}])
    assert run["status"] == 2, run
