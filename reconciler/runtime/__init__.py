"""What every controller runs on: queue, workers, engine, apply, lease, fence, freeze, suspension."""
