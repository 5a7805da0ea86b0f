using InstructTune.BaseModel;

switch (args)
{
    case ["init", var folder]:
        UntrainedBase.Write(folder);
        return 0;
    case ["finish", var artifact, var folder, var trainingLoss, var seconds, var threads]:
        FinishedBase.Write(artifact, folder, new TrainingFacts(trainingLoss, seconds, threads));
        return 0;
    default:
        await Console.Error.WriteLineAsync("usage: InstructTune.BaseModel init FOLDER | finish TRAINED-FOLDER FOLDER LOSS SECONDS THREADS");
        return 2;
}
