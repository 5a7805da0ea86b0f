using InstructTune.Testing;

[assembly: AssemblyFixture(typeof(StoreFixture))]
