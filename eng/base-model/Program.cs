using InstructTune.BaseModel;

switch (args)
{
    case ["init", var folder]:
        UntrainedBase.Write(folder);
        return 0;
    case ["finish", var artifact, var folder, var trainingLoss, var seconds]:
        FinishedBase.Write(artifact, folder, trainingLoss, seconds);
        return 0;
    default:
        await Console.Error.WriteLineAsync("usage: InstructTune.BaseModel init FOLDER | finish TRAINED-FOLDER FOLDER TRAINING-LOSS SECONDS");
        return 2;
}
